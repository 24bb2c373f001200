// The browser has deleted the files of this device while they were open: begin again, and say why.
import { engine } from "./rpc";
import { markAccount, wasBegun } from "./state/mark";

export function beginAgainWhenDeleted(): void {
  engine.on("files_deleted", () => {
    if (!wasBegun()) markAccount(); // a mark may have been deleted with them
    location.reload();
  });
}
