"""Run ``untether demo`` with another story, to see what the demo does when something is wrong.

Use: python altered_story.py KIND [OPTIONS OF THE COMMAND LINE]
"""

import asyncio
import sys

from untether.cli.demo import linking, story, talking
from untether.cli.demo.stage import Stage
from untether.cli.demo.story import Chapter
from untether.cli.main import main

BEGIN = Chapter("A relay, and two people", "As in the real story.", linking.two_people)


async def one_message(stage: Stage) -> None:
    """Say something that must then not be found."""
    await talking.say(stage, stage.phone("alice"), "bob", "The cake is under the stairs.")


async def leak(stage: Stage) -> None:
    """Be a relay that writes down what it should not know."""
    (stage.relay.directory / "notes.txt").write_text("alice: The cake is under the stairs.")


async def look(stage: Stage) -> None:
    """Check the disks as the real story does."""
    talking.expect_unreadable(stage)


async def unlimited(stage: Stage) -> None:
    """Expect a refusal for a companion that there is room for."""
    await linking.expect_refusal(stage, await linking.offer(stage, "alice", "laptop"))


async def wait(_stage: Stage) -> None:
    """Go on for ever."""
    await asyncio.Event().wait()


async def break_down(stage: Stage) -> None:
    """Lose the relay where nobody expects it."""
    await stage.relay.kill()
    await one_message(stage)


STORIES = {
    "sound": (BEGIN, Chapter("One message", "", one_message), Chapter("The disks", "", look)),
    "leaking": (
        BEGIN,
        Chapter("One message", "", one_message),
        Chapter("A leak", "", leak),
        Chapter("The disks", "", look),
    ),
    "unlimited": (BEGIN, Chapter("No limit", "", unlimited)),
    "endless": (BEGIN, Chapter("Waiting", "", wait)),
    "broken": (BEGIN, Chapter("No relay", "", break_down)),
}

if __name__ == "__main__":
    story.STORY = STORIES[sys.argv[1]]
    sys.exit(main(["demo", *sys.argv[2:]]))
