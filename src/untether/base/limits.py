"""Every bound of the system, each with its reason (spec 00, "Limits").

Sizes are bytes, times are milliseconds unless the name says otherwise.
"""

from __future__ import annotations

from untether.base.identifiers import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

# --- Account and device lists -------------------------------------------------------------
COMPANIONS_MAX = 4  # laptop, tablet, browser, one to spare; each costs every sender a header
GENERATION_NUMBER_STRIDE = 1024  # numbers of generation g start at 1024·g, so none returns
LEASE_DEFAULT_MS = 30 * DAY_MS  # a list that nobody renews ends: bounds a withheld log-out
LEASE_MAX_MS = 180 * DAY_MS  # the owner's choice ends here; verifiers refuse longer leases
LEASE_MIN_MS = 2 * DAY_MS  # renewed daily; a shorter one would end between two renewals
LEASE_RENEW_AFTER_MS = DAY_MS  # the phone renews at most daily, so versions stay few
LEASE_WARNING_PERCENT = 67  # companions warn when two thirds are over: ten days are left to act
LEASE_GRACE_MS = 24 * HOUR_MS  # clocks differ; a day is more than honest ones ever do
CLOCK_AHEAD_MAX_MS = 24 * HOUR_MS  # issued-at may lie at most this far ahead of our clock
GOSSIP_PATIENCE_MS = 48 * HOUR_MS  # a claimed newer list not served for so long ends the lease
CLAIM_PAUSE_MS = HOUR_MS  # who claims or asks without end learns no more often who is awake
LISTS_PER_ANSWER_MAX = 64  # a long chain is fetched in pieces
CERTIFICATE_BODY_MAX = 256  # 115 bytes at most; what is longer is not read
SMALL_SIGNED_BODY_MAX = 64  # a resignation or wipe order: 58 bytes at most
SECURITY_QR_MAX = 160  # two fingerprints and two list heads: 160 bytes at most
LIST_BODY_MAX = 8 * 1024  # five certificates are under 2 KiB; room to grow, none to flood

# --- Times ---------------------------------------------------------------------------------
TIME_MAX = 253_402_214_400_000  # the last day of the year 9999: calendars end there

# --- Linking ------------------------------------------------------------------------------
LINK_SLOT_MS = 10 * MINUTE_MS  # time for a person to fetch the other device
LINK_ANSWER_MS = 3 * MINUTE_MS  # time to compare two codes; a device that was killed says nothing
LINK_POLL_MS = 3 * SECOND_MS  # a lost wake-up delays a link no longer; below a guest's rate
LINK_TEXT_MAX = 213  # characters: QR version 10 at level M, still readable by cheap cameras
LINK_ADDRESS_MAX = 66  # characters: what LINK_TEXT_MAX leaves for the relay's address
LINK_OFFER_MAX = 540  # every sealed offer has this size: a guest puts it, so it must be small
LINK_ITEM_PADDED_MIN = 4 * 1024  # an answer of five devices; a refusal looks just like it
LINK_ITEM_MAX = 96 * 1024  # an acceptance with full prekeys is 70 KiB
LINK_ITEMS_MAX = 4  # offer, answer, acceptance, result
QR_IMAGE_BYTES_MAX = 32 * 1024 * 1024  # a large photograph from a phone
QR_IMAGE_PIXELS_MAX = 64 * 1024 * 1024  # the same unpacked; a decompression bomb has more
DEVICE_NAME_MAX = 64  # characters: one line on every screen
DEVICE_PLATFORM_MAX = 24  # characters: “Firefox on Windows”; the longest offer keeps its size

# --- Pairwise sessions --------------------------------------------------------------------
CHAIN_JUMP_MAX = 2_000  # skipping further costs CPU before authenticity is known
SKIPPED_KEYS_MAX = 2_000  # per session: bounds the store, oldest go first
SKIPPED_KEY_MS = 7 * DAY_MS  # kept keys weaken forward secrecy; mail is seldom later
RECEIVER_CHAINS_MAX = 5  # older ratchet keys are not opened any more
ARCHIVED_SESSIONS_MAX = 5  # sessions that may still open; bounds trial work
UNANSWERED_SESSION_MS = 30 * DAY_MS  # after that a new handshake replaces hope
CROSSING_START_MS = DAY_MS  # a start that lost may come late, with mail that a busy relay refused
TRIAL_STEPS_MAX = 4_000  # chain steps per envelope over all sessions: a forgery stays cheap
RATCHET_TURN_WANTED_MS = 7 * DAY_MS  # without a DH step for so long, an answer is asked for

# --- Prekeys ------------------------------------------------------------------------------
ONE_TIME_PREKEYS = 50  # constant level: covers days of new contacts between two connects
PREKEY_ROTATION_MS = 7 * DAY_MS  # bounds what one stolen signed prekey opens
PREKEY_RETIRED_MS = 14 * DAY_MS  # mail in flight may still use the key before
PREKEY_AGE_MAX_MS = 45 * DAY_MS  # an older signed prekey means that the device is asleep
ONE_TIME_PREKEYS_STORED_MAX = 2 * ONE_TIME_PREKEYS  # a refill may cross a repeated one
PREKEY_MEMORY_MS = PREKEY_AGE_MAX_MS + CLOCK_AHEAD_MAX_MS  # a used id outlives its pair's uploads
CLAIMS_PER_TARGET_BURST = 6  # handshakes that one account may start with one device at once
CLAIMS_PER_TARGET_REFILL_MS = 10 * MINUTE_MS  # then one more each ten minutes

# --- Messages -----------------------------------------------------------------------------
BODY_MAX = 64 * 1024  # one sealed body; more is an attachment
BODY_PADDED_MIN = 256  # short messages look alike
TEXT_MAX = 48 * 1024  # bytes of UTF-8, so that padding still fits a body
HEADER_MAX = 4 * 1024  # a first message carries a 1,088-byte KEM ciphertext
FRAME_MAX = 1024 * 1024  # a fan-out of one body to 500 devices fits
PACKET_MAX = FRAME_MAX + 3  # one WebSocket message: the largest frame fits, with its array's head
FRAMES_PER_PACKET_MAX = 64  # as many as a relay decides at once for one connection
ACCOUNTS_PER_SUBMIT_MAX = 256  # the largest group
COPIES_PER_ACCOUNT_MAX = 8  # phone, four companions and room for a changing list

# --- Mailboxes ----------------------------------------------------------------------------
RECEIVE_AHEAD_MAX = 32 * 1024 * 1024  # a browser can't hold a relay up: two windows of large mail
UNACKNOWLEDGED_MAX = 256  # entries pushed before an acknowledgement: bounds a slow reader
MAILBOX_ENTRIES_MAX = 10_000  # one device's mail
MAILBOX_BYTES_MAX = 64 * 1024 * 1024  # one device's mail
SENDERS_IN_FREE_ROOM = 3  # with as much as one has must fit: none takes over a quarter, nor all
MAILBOX_FULL_RETRY_MS = HOUR_MS  # a full mailbox empties when its device connects
MAIL_MS = 30 * DAY_MS  # then it is dropped and the device is told of the gap
REMOVED_DEVICE_MAIL_MS = 48 * HOUR_MS  # only a relay says that a mailbox is drained
IDEMPOTENCE_MS = 35 * DAY_MS  # a repeated submission is recognised longer than mail lives
PARKED_PER_UNKNOWN_ACCOUNT_MAX = 2 * UNACKNOWLEDGED_MAX  # what comes before two answers with lists
PARKED_FROM_UNKNOWN_MAX = 5_000  # in all
PARKED_FROM_UNKNOWN_BYTES_MAX = 64 * 1024 * 1024  # in all
GIVEN_UP_KEPT_MAX = 1_000  # remembered as unreadable; a flood must not fill the disk
PARKED_MS = 30 * DAY_MS  # then given up with a named cause
MISSING_TOLD_MS = MINUTE_MS  # a message that a later one overtook is not called missing at once
QUEUED_RETRY_MS = 24 * HOUR_MS  # a message that nobody can open yet is tried again daily
HELD_RETRY_MS = 24 * HOUR_MS  # whether a lease was renewed that holds messages back is asked daily
REFUSED_RETRY_MS = 10 * SECOND_MS  # a busy or ill relay is asked again, not in a hurry

# --- Repair -------------------------------------------------------------------------------
REPAIR_TRIES_MAX = 5  # requests for one message, and answers to one device: then it ends
REPAIR_RETRY_MS = 10 * MINUTE_MS  # a first request that was lost is soon repeated
REPAIR_BACK_OFF = 8  # each wait is so many times longer: the last request leaves after four days
REPAIR_MS = MAIL_MS  # the last request may wait so long in the sender's mailbox
REPAIR_JITTER_MS = 2 * SECOND_MS  # one request for what fails together, and it tells no exact time
REPAIR_BATCH_MAX = 64  # message ids in one request
REPAIRS_PER_ACCOUNT_MAX = 1_000  # weeks of mail for a device that lost its sessions
REPAIRS_PER_STRANGER_MAX = 10  # what somebody wrote before anybody answered
REPAIRS_OF_STRANGERS_MAX = 1_000  # in all: anybody can send garbage, under many names
REPAIR_START_MS = DAY_MS  # damaged mail must not wear out sessions, nor excuse a copy for ever
REPAIR_REQUESTS_PER_HOUR_MAX = 16  # of one device: all repairs with an account, in full batches
KEPT_SENT_MS = 2 * MAIL_MS  # a message waits so long for its reader, and the request for us
KEPT_SENT_MAX = 20_000  # messages kept for repairs: months of a busy person
KEPT_SENT_BYTES_MAX = 64 * 1024 * 1024  # their contents: as much as a mailbox holds

# --- Receipts and control messages --------------------------------------------------------
RECEIPT_JITTER_MS = 2 * SECOND_MS  # one of several own devices answers, and tells no exact time
DEPARTURE_JITTER_MS_MAX = 2 * SECOND_MS  # nothing in the outbox is held back for longer
RATCHET_ANSWER_JITTER_MS = 2 * SECOND_MS  # an empty answer tells no exact time either
RECEIPT_BATCH_MAX = 64  # message ids in one receipt

# --- Relay --------------------------------------------------------------------------------
ORIGIN_MAX = 256  # characters: scheme, the longest host name and a port fit
REQUEST_MS = 15 * SECOND_MS  # a connection that asked nothing whole by then is closed
LOGIN_MS = 5 * SECOND_MS  # from the challenge to the signature
LOGIN_COUNTER_MAX = 2**48  # a relay that claims more would end logins for ever
CLOCK_WARNING_MS = 5 * MINUTE_MS  # beyond that the device warns of a wrong clock
SOCKETS_PER_DEVICE_MAX = 5  # one receives, a few send
GUESTS_PER_ADDRESS_MAX = 50  # open sockets that have not logged in
OPEN_SLOTS_MAX = 1_000  # link slots at one time: guests open them
REQUESTS_BURST = 240  # frames that are read from a connection at once
REQUESTS_PER_SECOND = 120  # then so many a second
REQUESTS_PER_SECOND_MIN = 10  # else a connection that is not read for a packet's time seems dead
REQUEST_BYTES = 16 * 1024  # of a packet that are read like one more frame: large ones cost more
ACKNOWLEDGEMENTS_BURST = 2 * UNACKNOWLEDGED_MAX  # two windows of mail, entry by entry
ACKNOWLEDGEMENTS_PER_SECOND = 1_000  # then so many a second: faster than mail comes
SUBMIT_BURST = 600  # messages a device may submit at once
SUBMITS_PER_SECOND = 20  # then so many a second
RECIPIENTS_BURST = 100 * ACCOUNTS_PER_SUBMIT_MAX  # accounts that one account may write to at once
RECIPIENTS_PER_SECOND = 2  # then so many a second: each is remembered for IDEMPOTENCE_MS
LOGINS_BURST = 300  # of one address: an office behind one comes back after a restart
LOGINS_REFILL_MS = 100  # then ten more each second; a signature check costs 0.1 ms
GUEST_REQUESTS_BURST = 30  # registrations, recoveries and link slots of one address
GUEST_REQUESTS_REFILL_MS = 2 * SECOND_MS  # then one more each two seconds
WRITE_BUFFER_MAX = 1024 * 1024  # a reader slower than that is cut; its mail stays
HEARTBEAT_MS = 30 * SECOND_MS  # a dead peer is noticed within 45 s; home routers forget later
WRITE_STALL_MS = 30 * SECOND_MS  # a reader that takes nothing for so long is cut; its mail stays
DELIVERIES_BYTES_MAX = 256 * 1024  # of one push: a slow line acknowledges before it breaks
IN_FLIGHT_MAX = 64  # requests of one connection that run at once: some fill a commit
SOCKET_SWEEP_MS = SECOND_MS  # how often overdue connections are looked for
HEALTH_KEPT_MS = SECOND_MS  # an answer of /healthz: each costs a commit, and anybody may ask
HOUSEKEEPING_MS = HOUR_MS  # how often expired rows are cleared up
MAILBOX_TOTALS_MS = MINUTE_MS  # how often the metrics add up all mailboxes
CONNECT_MS = 15 * SECOND_MS  # name, TCP, TLS and upgrade on a slow mobile network
CLOSE_MS = 2 * SECOND_MS  # a peer that does not answer a close is left
RECONNECT_FIRST_MS = SECOND_MS  # wait after the first failure, doubled by each further one
RECONNECT_MAX_MS = 2 * MINUTE_MS  # a phone must not stay away longer than this by itself
PUSH_ENDPOINT_MAX = 1024  # characters; push services give some two to seven hundred
PUSH_MS = 10 * SECOND_MS  # for a push service to answer; it is asked again at the next mail
PUSH_PAUSE_MS = 10 * SECOND_MS  # between two calls for one device, however often it comes and goes
PUSH_PROMPT_MS = 2 * SECOND_MS  # push services answer in a tenth of it; who takes longer is slow
PUSH_RETRY_MS = MINUTE_MS  # a push service that is ill, or a stranger, is not called at each mail
PUSH_RETRY_MAX_MS = HOUR_MS  # the pause after a failure, doubled by each further one, grows to this
PUSH_UNANSWERED_MAX = 24  # calls in a row, most of a day: nobody lives at that endpoint
PUSHES_AT_ONCE_MAX = 64  # calls at one time; slow services keep the others waiting, not the relay
PUSHES_TO_HOST_MAX = 8  # of them, to one host: some eighty a second for one that answers at once
PUSHES_TO_STRANGERS_MAX = 16  # of them, to hosts that have not answered their last call at once
PUSH_HOSTS_MAX = 1000  # that have, and are remembered; there are a handful of push services
PUSH_KEPT_MS = 7 * DAY_MS  # that a push service keeps a call for a device that is switched off
PUSH_PROOF_MS = 12 * HOUR_MS  # a signed proof for one push service; it takes a day at most
INVITATION_MS = 7 * DAY_MS  # an invitation nobody used ends
INVITATION_BYTES = 10  # eighty random bits: nobody guesses one within its week
INVITATION_CODE_MAX = 64  # characters: a code has sixteen, however a person spaces them
SIGNED_UPLOADS_BURST = 30  # lists and prekeys that a device may bring at once: each costs checks
SIGNED_UPLOADS_REFILL_MS = 10 * SECOND_MS  # then one more each ten seconds
ACCOUNT_LISTS_BURST = 256  # lists that an account may bring at once: a restored relay heals
ACCOUNT_LISTS_REFILL_MS = 5 * MINUTE_MS  # then one more each: all are kept, so they fill a disk
LINK_ITEMS_BURST = 120  # items of link slots that the guests of one address may ask for at once
LINK_ITEMS_REFILL_MS = 250  # then four more each second: a dozen waiting devices ask so often
LINK_SLOTS_BURST = 10  # slots that one network address may open at once
LINK_SLOTS_REFILL_MS = 30 * SECOND_MS  # then one more each 30 s: a screen renews each minute
NAME_LOOKUPS_BURST = 30  # names that one account, or one guest's address, may ask for at once
NAME_LOOKUPS_REFILL_MS = 10 * SECOND_MS  # then one more each ten seconds: names are not listed
BUDGET_STATES_MAX = 100_000  # limits in memory at one time: some 20 MiB
LISTS_BYTES_MAX = 512 * 1024  # of signed lists in one answer: half a frame
LISTS_OF_VERDICTS_BYTES_MAX = 32 * 1024  # of lists in all verdicts on one message: many run at once
HOUSEKEEPING_STEP_ROWS = 500  # one step of clearing up holds the writer for milliseconds
WIPE_ORDERS_PER_PUBLICATION_MAX = 8  # all devices of an account and some
INCARNATION_MAX = 2**32  # of a mailbox; a start of the relay is numbered by its second

# --- Secrets and verification -------------------------------------------------------------
ARGON2ID_MEMORY_KIB = 64 * 1024  # a guess costs 64 MiB
ARGON2ID_PASSES = 3  # RFC 9106, second recommended option
ARGON2ID_MEMORY_KIB_MAX = 1024 * 1024  # a damaged seal can't ask for more than 1 GiB
ARGON2ID_PASSES_MAX = 16  # nor keep a processor busy for minutes
PASSPHRASE_MIN = 8  # characters; NIST SP 800-63B
PASSPHRASE_TRIES_MAX = 3  # slips of the finger; then it is better to stop and think
PASSPHRASE_FILE_MAX = 1024  # a longer file is not a passphrase but a mistake
RECOVERY_TEXT_MAX = 4 * 1024  # the code has 69 characters; room for lines around it
SEALS_MAX = 8  # passphrase, passkeys and security keys of one person
CREDENTIAL_ID_MAX = 512  # bytes; some security keys wrap a whole key into the id of a passkey
SEAL_MAX = 1024  # one seal; a passkey's credential id alone may have several hundred bytes

# --- Names --------------------------------------------------------------------------------
NAME_MIN = 2  # characters
NAME_MAX = 32  # characters

# --- Device storage -----------------------------------------------------------------------
DATABASE_BUSY_MS = 10 * SECOND_MS  # one engine step of another process takes far less
NOTICES_PER_CODE_MAX = 100  # that nobody looks at: they must not fill a disk, nor hide others
PROFILE_FILE_MAX = 4 * 1024  # profile.json has some 300 bytes; a longer one is damage

# --- How long a person waits --------------------------------------------------------------
CONNECTION_MS = DAY_MS  # then a device logs in anew: only then it looks after keys and what is old
CHALLENGE_MS = 15 * SECOND_MS  # a relay challenges as soon as the socket is open
ANSWER_MS = 30 * SECOND_MS  # a relay answers in milliseconds; a slow line brings a frame in less
ANSWERS_OVERTAKEN_MS = 5 * MINUTE_MS  # pushes show that the relay lives, yet it must answer too
SEND_MS = 20 * SECOND_MS  # for the relay to take a message; then it is said to be queued
ACTIVATION_MS = MINUTE_MS  # for the relay to admit a new account
LOG_OUT_RECEIVE_MS = 10 * SECOND_MS  # for what the device wrote; a flood must not keep it off
LOG_OUT_MS = 30 * SECOND_MS  # for the relay to confirm it; it is signed and stored before

# --- Operating a relay --------------------------------------------------------------------
CONFIG_FILE_MAX = 8 * 1024  # every key takes 1 KiB; a longer file is a mistake, and slow to read
WEB_FILE_MS = 2 * MINUTE_MS  # to fetch one file of a web app: the largest has ten megabytes

# --- Relay storage ------------------------------------------------------------------------
RELAY_DATABASE_CHECKED_MAX = 256 * 1024 * 1024  # bytes: a start takes half a second longer
RELAY_DATABASE_BUSY_MS = 2 * SECOND_MS  # another process may be making an invitation
DECISIONS_PER_COMMIT_MAX = 1024  # some forty milliseconds of stepping; fewer commits cost less
LOG_PAUSE_MS = SECOND_MS  # after so long without a decision the log, with deleted mail, is emptied
LOG_AGE_MAX_MS = MINUTE_MS  # a relay without pauses empties it all the same
