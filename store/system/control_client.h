// Asks the running daemon, over its control socket (AF_UNIX, SOCK_SEQPACKET).
//
//   asked     "hearth 1", then the words of the request: "stat" "text"; each with its NUL, all in one packet
//   answered  packets of a letter and a text, until the one of CONTROL_CODE or the end
//
// Closing, or shutting the own direction down, ends what was asked for: a recording ends early then, with a whole
// store, and after a shutdown() its end is still answered.
#ifndef HEARTH_STORE_SYSTEM_CONTROL_CLIENT_H
#define HEARTH_STORE_SYSTEM_CONTROL_CLIENT_H

#include "store/base/fault.h"

#define CONTROL_VERSION       "hearth 1"
#define CONTROL_SOCKET        "/run/hearth/control.sock"
#define CONTROL_SOCKET_NAME   "control.sock" // in the daemon's directory, where its command line names that
#define CONTROL_GROUP         "hearth"       // whose members may ask, as root may
#define CONTROL_MESSAGE_BYTES 16384

enum control_letter {
    CONTROL_OUT = 'o',   // for stdout
    CONTROL_SAID = 'e',  // lines for stderr
    CONTROL_BEGUN = 'b', // a recording has begun: the path of its store
    CONTROL_STORE = 's', // it has ended well: the path, and a descriptor to read it by
    CONTROL_CODE = 'x',  // the last one: an exit code
};

// -ENOENT, -ECONNREFUSED: no daemon answers there; -EACCES (EXIT_CODE_LACKS). All with a fault.
int control_client__open(const char *path, struct fault *fault, int *ret_fd);
int control_client__ask(int fd, int argc, const char *const *argv, struct fault *fault);

struct control_answer {
    char letter;
    int fd;                               // of CONTROL_STORE: the caller's; else -1
    char text[CONTROL_MESSAGE_BYTES + 1]; // ended by a NUL
};
// Waits for the next one. -EPIPE with a fault: the daemon has ended before it was done.
int control_client__receive(int fd, struct fault *fault, struct control_answer *ret_answer);

#endif
