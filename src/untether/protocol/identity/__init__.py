"""Who is who: account keys, device certificates, device lists (spec 02)."""
