"""What everything stands on: identifiers, limits, errors, secrets and padding."""
