// What runs in Python before and after a power cut.

const OPEN = `
import json, random, sqlite3

def opened(chance):
    database = sqlite3.connect(f"file:{folder}/device.db?psow={psow}", uri=True, isolation_level=None)
    for setting in (
        "locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = FULL", "temp_store = MEMORY",
        f"wal_autocheckpoint = {chance.choice((8, 60))}", "cache_size = 8",
    ):
        database.execute("PRAGMA " + setting)
    return database
`;

/** Commits until the power is cut; the value is how many transactions were acknowledged. */
export const COMMITS = `${OPEN}
chance = random.Random(round)
database = opened(chance)
database.execute("CREATE TABLE rows (number INTEGER PRIMARY KEY, done INTEGER, together INTEGER, body BLOB)")
database.execute("CREATE INDEX by_body ON rows (body)")
acknowledged = 0
cut_after(chance.randrange(1, 260))
try:
    while acknowledged < 200:
        together = chance.choice((1, 2, 30))
        database.execute("BEGIN IMMEDIATE")
        for _ in range(together):
            row = (acknowledged + 1, together, chance.randbytes(200))
            database.execute("INSERT INTO rows (done, together, body) VALUES (?, ?, ?)", row)
        if acknowledged % 3 == 2:
            changed = (chance.randbytes(150), acknowledged % 7)
            database.execute("UPDATE rows SET body = ? WHERE number % 7 = ?", changed)
        database.execute("COMMIT")
        acknowledged += 1
except sqlite3.Error:
    pass
acknowledged
`;

/** Opens what is left; the value says how many transactions are there, and whether each is whole. */
export const RECOVERY = `${OPEN}
found = {"opened": 0, "transactions": 0, "whole": 0}
try:
    again = opened(random.Random(round))
    ((found["transactions"],),) = again.execute("SELECT coalesce(max(done), 0) FROM rows")
    ((check,),) = again.execute("PRAGMA integrity_check")
    torn = again.execute("SELECT done FROM rows GROUP BY done HAVING count(*) <> max(together)")
    found |= {"opened": 1, "whole": int(check == "ok" and not torn.fetchall())}
    again.close()
except sqlite3.Error:
    pass
try:
    database.close()
except sqlite3.Error:
    pass
json.dumps(found)
`;
