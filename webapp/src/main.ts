// Puts the app on the page; everything else follows from what the engine finds on this device.
import { mount } from "svelte";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/controls.css";
import { announceMessages } from "./announce";
import App from "./App.svelte";
import { beginAgainWhenDeleted } from "./deleted";
import { keepWakeable } from "./push";
import { startEngine } from "./start_engine";
import { app } from "./state/app.svelte";
import { router } from "./state/route.svelte";
import { keepShell } from "./shell";

addEventListener("popstate", ({ state }) => router.moved(state));
router.reset();
beginAgainWhenDeleted();
void app.start(startEngine); // it takes longest, so it begins before there is anything to see
const target = document.getElementById("app");
if (target) mount(App, { target });
keepShell();
announceMessages();
keepWakeable();
