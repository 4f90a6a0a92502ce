#include "collector/daemon/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"
#include "store/base/limits.h"
#include "store/base/safe_text.h"
#include "store/system/control_client.h"

// --- The words

// Moves the next word to *at, without its quotes, and returns what stands behind it. NULL: a quote has no end.
static char *take_word(char *from, char *at)
{
    char quote = '\0';
    for (; *from && (quote || !strchr(" \t\n", *from)); from++)
        if (*from == quote)
            quote = '\0';
        else if (!quote && (*from == '\'' || *from == '"'))
            quote = *from;
        else
            *at++ = *from;
    if (quote)
        return NULL;
    from += *from != '\0';
    *at = '\0';
    return from;
}

static int split(char *text, const char *words[LIMIT_CONTROL_WORDS], struct fault *fault)
{
    int count = 0;
    for (text += strspn(text, " \t\n"); text && *text; count++) {
        if (count == LIMIT_CONTROL_WORDS)
            return fault__set_code(fault, EXIT_CODE_USAGE, -E2BIG, "--ask: more than %d words", LIMIT_CONTROL_WORDS);
        words[count] = text;
        text = take_word(text, text);
        text += text ? strspn(text, " \t\n") : 0;
    }
    if (!text || !count)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL, "--ask: %s",
                               text ? "there is no word; ask for 'record -p PID -d 30', or 'stat'"
                                    : "a quote has no end");
    return count;
}

// --- The store

static int copy_bytes(int from, int to)
{
    char bytes[65536];
    ssize_t got;
    while ((got = read(from, bytes, sizeof(bytes))) > 0)
        for (ssize_t done = 0, put; done < got; done += put)
            if ((put = write(to, bytes + done, (size_t)(got - done))) < 0)
                return -errno;
    return got < 0 ? -errno : 0;
}

static int copy_store(int from, const char *name, struct fault *fault)
{
    _cleanup_fd_ int to = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int err = to < 0 ? -errno : copy_bytes(from, to);
    return err ? fault__set(fault, err, "cannot copy the recording to './%s': %s", name, strerror(-err)) : 0;
}

static int show_store(const struct control_answer *answer, struct fault *fault)
{
    const char *slash = strrchr(answer->text, '/'), *name = slash ? slash + 1 : answer->text;
    if (access(answer->text, R_OK) == 0 || answer->fd < 0) {
        safe_text__print(stdout, "%s", answer->text);
        return 0;
    }
    int err = copy_store(answer->fd, name, fault);
    if (!err)
        fault__warn("'%s' is the daemon's alone; a copy of it is './%s'", answer->text, name);
    if (!err)
        safe_text__print(stdout, "%s", name);
    return err;
}

// --- The answers

static int show(const struct control_answer *answer, struct fault *fault)
{
    if (answer->letter == CONTROL_OUT)
        fputs(answer->text, stdout);
    else if (answer->letter == CONTROL_SAID)
        fputs(answer->text, stderr);
    else if (answer->letter == CONTROL_BEGUN)
        fault__warn("the daemon records into '%s'; ^C ends it early", answer->text);
    else if (answer->letter == CONTROL_STORE)
        return show_store(answer, fault);
    return 0;
}

static int signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

// Until the daemon has something to say. False: a second signal has come.
static bool wait_for(int fd, int signal_fd, bool *is_ending)
{
    struct signalfd_siginfo signal;
    struct pollfd ready[] = {{.fd = fd, .events = POLLIN}, {.fd = signal_fd, .events = POLLIN}};
    while (poll(ready, 2, -1) < 0 && errno == EINTR)
        ;
    if (!(ready[1].revents & POLLIN) || read(signal_fd, &signal, sizeof(signal)) != sizeof(signal))
        return true;
    if (*is_ending)
        return false;
    *is_ending = true;
    shutdown(fd, SHUT_WR);
    return true;
}

static int take_answer(int fd, struct control_answer *answer, struct fault *fault)
{
    int err = control_client__receive(fd, fault, answer);
    if (err)
        return err;
    err = show(answer, fault);
    fd__close(&answer->fd);
    return err;
}

static int follow(int fd, struct fault *fault, enum exit_code *ret_code)
{
    _cleanup_free_ struct control_answer *answer = calloc(1, sizeof(*answer));
    _cleanup_fd_ int signal_fd = signals();
    bool is_ending = false;
    int err = answer ? 0 : fault__set(fault, -ENOMEM, "out of memory");
    while (!err && answer->letter != CONTROL_CODE) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        if (!wait_for(fd, signal_fd, &is_ending))
            return fault__set(fault, -EINTR, "nobody waits for the recording any more; it ends early");
        if (poll(&ready, 1, 0) > 0)
            err = take_answer(fd, answer, fault);
    }
    if (!err)
        *ret_code = (enum exit_code)strtol(answer->text, NULL, 10);
    return err;
}

enum exit_code ask__run(const char *socket_path, const char *words, struct fault *fault)
{
    const char *split_words[LIMIT_CONTROL_WORDS];
    enum exit_code code = EXIT_CODE_DONE;
    _cleanup_fd_ int fd = -1;
    _cleanup_free_ char *text = strdup(words);
    int count = text ? split(text, split_words, fault) : fault__set(fault, -ENOMEM, "out of memory");
    int err = count < 0 ? count : control_client__open(socket_path, fault, &fd);
    if (!err)
        err = control_client__ask(fd, count, split_words, fault);
    if (!err)
        err = follow(fd, fault, &code);
    return err ? fault__say(fault, err) : code;
}
