/* The signed device list of one account, a contact who writes to it, and a relay that lies
 * (spec 02 "Order of lists", "Lease", "Gossip").
 *
 * The phone signs lists and nobody can forge one; the relay shows the contact any of them at any
 * time, or none. A companion is logged out by some list. Time passes in ticks. A thief who once had
 * the phone's key signs one list more: in a place that is taken, or with the companion's number
 * back. Each -D below is one rule taken away.
 */
#define LISTS 4
#define LEASE 4      /* ticks for which a list may be used for companions */
#define PATIENCE 1   /* ticks that a list may take to come once the phone has named it */
#define TICKS 6
#define NONE 255

byte tick = 0;
byte lists = 1;              /* how many were signed; list 0 lists the companion */
byte version[LISTS];         /* its place in the order */
byte previous[LISTS] = NONE; /* the list that it follows */
bool listed[LISTS] = true;   /* whether it lists the companion */
byte issued[LISTS];
byte newest = 0;             /* the phone's own */
byte named = NONE;           /* the list that the phone named last */
bool thief_signed = false;

/* the contact */
byte held = 0;               /* the list that is believed */
bool forked = false;
byte claim = NONE;           /* a list that the phone has named and that has not come */
byte claimed_at;             /* since when a claim is not settled: the patience counts from it */
byte raised_at;              /* when the claim that is kept was made */

/* what really happened, for the claims that the rules are held to */
byte logged_out_at = NONE, log_out_named_at = NONE;
bool saw_removal = false, saw_fork = false;

inline sign(follows, lists_companion) {
    version[lists] = version[follows] + 1;
    previous[lists] = follows;
    listed[lists] = lists_companion;
    issued[lists] = tick;
    lists++
}

/* The contact hears of a list that it does not hold. */
inline raise(named_list) {
    if
    :: claim == NONE -> claimed_at = tick; raised_at = tick
    :: else -> skip
    fi;
#ifndef FIRST_CLAIM_DECIDES
    raised_at = tick;
#endif
    claim = named_list
}

active proctype Phone() {
end:
    do
    :: d_step { lists < LISTS && listed[newest] ->
        sign(newest, false); newest = lists - 1; logged_out_at = tick }
    :: d_step { lists < LISTS -> sign(newest, listed[newest]); newest = lists - 1 }
    /* it writes to the contact, and names its list */
    :: d_step { named != newest ->
        named = newest;
        if
        :: !listed[newest] && log_out_named_at == NONE -> log_out_named_at = tick
        :: else -> skip
        fi;
#ifndef NO_GOSSIP
        if
        :: newest != held && version[newest] >= version[held] -> raise(newest)
        :: else -> skip
        fi
#endif
    }
    od
}

active proctype Thief() {
end:
    do
    :: d_step { lists < LISTS && !thief_signed && newest != 0 ->
        sign(previous[newest], true); thief_signed = true }
    :: d_step { lists < LISTS && !thief_signed && !listed[newest] ->
        sign(newest, true); thief_signed = true }
    od
}

active proctype Clock() {
end:
    do
    :: tick < TICKS -> tick++
    od
}

/* A list settles the claim: it is the claimed one, or further, or was issued after it. One issued
 * in between settles what was claimed before it. */
inline settle(shown) {
    if
    :: claim == NONE -> skip
    :: claim != NONE && (claim == shown || version[shown] > version[claim] ||
        issued[shown] > raised_at) -> claim = NONE; claimed_at = 0; raised_at = 0
    :: else ->
        if
        :: issued[shown] > claimed_at -> claimed_at = issued[shown]
        :: else -> skip
        fi
    fi
}

/* The relay shows a list; this is what the contact makes of it. */
inline take(shown) {
    if
#ifdef ACCEPT_OLDER
    :: version[shown] < version[held] -> held = shown
#endif
    :: previous[shown] == held ->
        if
#ifndef NUMBER_RETURNS
        :: listed[shown] && !listed[held] -> skip      /* a removed number never returns */
#endif
        :: else ->
            held = shown;
            saw_removal = saw_removal || !listed[shown];
            settle(shown)
        fi
    :: previous[shown] != held && shown != held && (version[shown] == version[held] ||
        version[shown] == version[held] + 1) ->        /* another list at one place, or after one */
        saw_fork = true;
#ifndef NO_FORK_CHECK
        forked = true
#endif
    :: else -> skip                                    /* older, or others are missing before it */
    fi
}

active proctype Relay() {
    byte any;
end:
    do
    :: atomic {
        select (any : 0 .. LISTS - 1);
        if
        :: any < lists -> d_step { take(any) }
        :: else -> skip
        fi;
        any = 0
    }
    od
}

/* The contact writes, and the companion gets a copy. */
active proctype Contact() {
end:
    do
    :: d_step {
        (listed[held] && !forked
#ifndef NO_LEASE
        && tick < issued[held] + LEASE
#endif
        && (claim == NONE || tick <= claimed_at + PATIENCE)) ->
        assert(!saw_removal);          /* never again once its log-out was seen */
        assert(!saw_fork);             /* never while there are two histories */
        /* who stole the key can go on signing; without it, a log-out that is withheld counts */
        assert(thief_signed || logged_out_at == NONE || tick < logged_out_at + LEASE);
        assert(thief_signed || log_out_named_at == NONE || tick <= log_out_named_at + PATIENCE)
    }
    od
}
