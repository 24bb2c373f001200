"""Everything that could not be delivered has ended in a state with a name.

In worlds where no copy is put back, nothing has a reason to be given up at all; otherwise the
causes are known ones, and the person was told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from simulation.checkers.views import history, living
from untether.base.limits import REPAIR_TRIES_MAX

if TYPE_CHECKING:
    from simulation.world import World


def check(world: World) -> Iterator[str]:
    """Yield what ended without a name, or without a reason."""
    if world.watch.given_up_untold:
        yield f"{world.watch.given_up_untold} messages were given up, and nobody was told"
    any_copy = any(device.restored_to for device in world.devices)
    for _, device in living(world):
        with device.looking() as database:
            ((in_vain,),) = database.rows(
                "SELECT count(*) FROM repairs WHERE tries >= ?", REPAIR_TRIES_MAX
            )
        if in_vain and not any_copy:
            yield f"{device.name} asked for {in_vain} messages in vain"
        causes = Counter(world.watch.given_up.get(device.name, {}).values())
        for cause, count in causes.items():
            if not cause:
                yield f"{device.name} gave up {count} messages without a cause"
            elif not any_copy and cause not in world.excused_causes:
                yield f"{device.name} gave up {count} messages: {cause}"
        for message in history(device):
            if message.outgoing and message.state not in ("sent", "delivered"):
                own = device.own
                if own is not None and message.author_device == own.device:
                    yield f"{device.name}: {message.text} ended as {message.state}"
