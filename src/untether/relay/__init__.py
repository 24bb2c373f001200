"""The relay's decisions, written once over a row-level transaction port."""
