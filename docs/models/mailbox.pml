/* One sender, one mailbox, one receiving device (spec 07, "Inbox"; spec 08, "Mailbox").
 *
 * The relay and the device each have a part that survives a crash (what they committed) and a part
 * that does not (the connection, what is on its way). A copy is its number in the mailbox; the
 * relay gives numbers in the order in which it accepts. Each -D below is one rule taken away.
 */
#define MESSAGES 3
#define COPIES 5   /* more than MESSAGES, for relays that accept one twice */
#define WINDOW 2   /* copies that are pushed and not acknowledged */
#define CRASHES 2  /* of the relay, of the device, and of answers that are lost: of each kind */

/* committed by the relay */
byte next_number = 0;
byte message_of[COPIES];
bool in_mailbox[COPIES];
bool body[COPIES];
bool remembered[MESSAGES];   /* submissions, by the number that their sender gave them */

/* committed by the device */
byte shown[MESSAGES];
bool seen[COPIES];

/* the connection */
chan pushed = [WINDOW] of { byte };
chan acknowledged = [WINDOW] of { byte };
byte to_push = 0;            /* the first copy that this connection has not been given */

byte accepted = 0;           /* messages whose sender knows that they were accepted */
byte relay_crashes = 0, device_crashes = 0, lost_answers = 0;
byte held = COPIES;          /* the copy that the device has taken and not committed */

inline reconnect() {
    do
    :: pushed ? _
    :: acknowledged ? _
    :: empty(pushed) && empty(acknowledged) -> break
    od;
#ifndef KEEP_PLACE_AFTER_RECONNECT
    to_push = 0;
#endif
    held = COPIES
}

/* Submit: store and remember in one transaction, or recognise a repetition. */
active proctype Sender() {
    byte message = 0;
    do
    :: message < MESSAGES ->
        d_step {
            if
            :: remembered[message] -> skip
            :: else ->
                assert(next_number < COPIES);
                message_of[next_number] = message;
                in_mailbox[next_number] = true;
                body[next_number] = true;
#ifndef FORGET_SUBMISSIONS
                remembered[message] = true;
#endif
                next_number++
            fi
        };
        if
        :: accepted++; message++
        :: lost_answers < CRASHES -> lost_answers++   /* the same submission goes again */
        fi
    :: else -> break
    od
}

active proctype Relay() {
    byte up_to;
end:
    do
    :: atomic {
        to_push < next_number && nfull(pushed) ->
        if
        :: in_mailbox[to_push] ->
            pushed ! to_push;
#ifdef DELETE_WHEN_PUSHED
            in_mailbox[to_push] = false; body[to_push] = false;
#endif
        :: else -> skip
        fi;
        to_push++
    }
    :: atomic {
        acknowledged ? up_to ->
        d_step {
            byte copy = 0;
            do
            :: copy < next_number ->
                if
#ifdef ACKNOWLEDGE_EVERYTHING
                :: in_mailbox[copy] ->
#else
                :: in_mailbox[copy] && copy <= up_to ->
#endif
                    in_mailbox[copy] = false;
                    body[copy] = false;
                    assert(shown[message_of[copy]] > 0)   /* nothing goes that was not stored */
                :: else -> skip
                fi;
                copy++
            :: else -> break
            od;
            copy = 0
        }
    }
    :: atomic { relay_crashes < CRASHES -> relay_crashes++; reconnect() }
    od
}

active proctype Device() {
end:
    do
    :: atomic { held == COPIES && nempty(pushed) -> pushed ? held;
#ifdef ACKNOWLEDGE_BEFORE_COMMIT
        acknowledged ! held;
#endif
    }
    :: atomic {
        held != COPIES && nfull(acknowledged) ->
        if
        :: !seen[held] ->
#ifndef NO_DUPLICATE_CHECK
            seen[held] = true;   /* in the transaction that stores the message */
#endif
            shown[message_of[held]]++;
            assert(shown[message_of[held]] == 1);                  /* never twice */
            assert(message_of[held] == 0 || shown[message_of[held] - 1] == 1)   /* in order */
        :: else -> skip
        fi;
#ifndef ACKNOWLEDGE_BEFORE_COMMIT
        /* the process may also die here, between its commit and its acknowledgement */
        if
        :: acknowledged ! held; held = COPIES
        :: device_crashes < CRASHES -> device_crashes++; reconnect()
        fi
#else
        held = COPIES
#endif
    }
    :: atomic { device_crashes < CRASHES -> device_crashes++; reconnect() }
    od
}

/* When nothing can happen any more: everything accepted was shown, and nothing is left. */
active proctype Rest() {
    timeout ->
    assert(accepted == MESSAGES);
    byte copy = 0;
    do
    :: copy < MESSAGES -> assert(shown[copy] == 1); copy++
    :: else -> break
    od;
    copy = 0;
    do
    :: copy < COPIES -> assert(!in_mailbox[copy] && !body[copy]); copy++
    :: else -> break
    od
}
