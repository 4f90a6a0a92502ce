// hearth daemon: always on, into a directory of day files.
#include "collector/cmd_daemon.h"

#include <errno.h>

#include "collector/command_line.h"
#include "collector/daemon/ask.h"
#include "collector/daemon/daemon.h"
#include "collector/sources/sources.h"

static struct daemon_words checked; // main's: the daemon reads the command line anew, behind its file

static void print_events(FILE *file)
{
    fputs("\nEvents of `event =`:\n", file);
    sources__print(file, false);
    fputs("\nProbes of `hist =`:\n", file);
    sources__print(file, true);
}

static enum exit_code ask(struct fault *fault)
{
    char path[PATH_MAX];
    checked.is_placed = checked.record.output != NULL;
    daemon_words__socket(&checked, path);
    enum exit_code code = ask__run(path, checked.ask, fault);
    options__release(daemon_word_rows, &checked);
    return code;
}

static enum exit_code run(int argc, char **argv)
{
    struct fault fault = {0};
    if (checked.ask && !argc)
        return ask(&fault);
    _cleanup_(buf__release) struct buf words = {0}, line = {0};
    (void)argc, (void)argv;
    options__release(daemon_word_rows, &checked);
    command_line__append(&line);
    _cleanup_free_ char **split = command_line__split(&words, &argc);
    int err = split && !line.failed ? 0 : fault__set(&fault, -ENOMEM, "out of memory");
    if (!err)
        err = daemon__run((const char *)line.data, argc - 2, split + 2, &fault);
    return err ? fault__say(&fault, err) : EXIT_CODE_DONE;
}

const struct command cmd_daemon = {
    .name = "daemon",
    .summary = "always on: collect, retain, roll up",
    .details =
        "Records the whole machine into a directory, /var/lib/hearth, that `hearth report`, `diff`, `list`, `sql` and\n"
        "`stat` read when no store is named. A file a UTC day has the intervals as they were drained; they are added "
        "up\n"
        "to minutes and hours, and kept for 48 hours, 14 days and 400 days, as long as --keep-bytes has room.\n"
        "\n"
        "Without an event, CPU samples at 19 Hz are taken, and histograms of off-cpu and runq. The file of options has "
        "a\n"
        "`KEY = VALUE` a line, each KEY the long name of an option below; a flag takes `yes`. The command line comes\n"
        "after it. SIGHUP has the file read again; one that is bad is said, and changes nothing. Events, max-cpu\n"
        "and keep-bytes change while the recording goes on; for another key it begins anew, with a gap of seconds.\n"
        "\n"
        "--ask asks the running daemon, as root or as a member of the group hearth: `stat` tells what it does now; "
        "`record\n"
        "WORDS`, with those of `hearth record` that say what is collected, records beside it for -d SECONDS, 600 at "
        "most,\n"
        "into a store of DIRECTORY/incidents. --ask waits for the end, prints the store, or a copy in the current "
        "folder\n"
        "for who cannot read that, and has the exit code of the recording; ^C ends it early.\n"
        "\n"
        "  hearth daemon --ask 'record -p PID -F 999 -d 30'\n"
        "\n"
        "  # /etc/hearth.conf\n"
        "  event = cpu\n"
        "  event = off-cpu\n"
        "  hist = syscall:fsync\n"
        "  freq = 49\n"
        "  keep-bytes = 5G\n",
    .print_more = print_events,
    .options = daemon_word_rows,
    .values = &checked,
    .run = run,
};
