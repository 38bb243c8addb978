"""How many average ratings a mean is damped by; the numbers are those of LensKit's bias model."""

from __future__ import annotations

ITEM_DAMPING = 5.0
USER_DAMPING = 3.0
