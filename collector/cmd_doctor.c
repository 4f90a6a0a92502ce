// hearth doctor: what this kernel and this user allow, what is lost without it, and how to get the rest.
#include "collector/cmd_doctor.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include <bpf/libbpf.h>

#include "collector/programs/feature.h"
#include "store/base/safe_text.h"

static int be_silent(enum libbpf_print_level level, const char *format, va_list arguments)
{
    (void)level, (void)format, (void)arguments;
    return 0;
}

static void say_feature(const struct feature *feature, int err)
{
    if (!err) {
        safe_text__print(stdout, "  ok    %s", feature->name);
        return;
    }
    safe_text__print(stdout, "  %s %s (%s): %s%s%s", feature->kind == FEATURE_NEEDED ? "NEEDED" : "no    ",
                     feature->name, strerror(-err), feature->lost, feature->advice ? "; " : "",
                     feature->advice ? feature->advice : "");
}

// Which interpreters are followed; `hearth unwind-rows FILE` says it of one file.
static void say_runtimes(void)
{
    static const char *const lines[] = {
#define GUEST(name, number, spelled, versions, refused)                                                                \
    "  ok    functions of " spelled ": " versions, "        not followed: " refused,
#include "bpf/wire/guests.def"
#undef GUEST
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        safe_text__print(stdout, "%s", lines[i]);
}

static enum exit_code run(int argc, char **argv)
{
    struct utsname system;
    size_t missing = 0, without = 0;
    if (argc) {
        fault__warn("doctor takes no operands ('%s')", argv[0]);
        return EXIT_CODE_USAGE;
    }
    libbpf_set_print(be_silent);
    uname(&system);
    safe_text__print(stdout, "hearth %s on %s, Linux %s, %s", HEARTH_VERSION, system.nodename, system.release,
                     system.machine);
    for (const struct feature *feature = features; feature->name; feature++) {
        int err = feature->probe();
        say_feature(feature, err);
        missing += err && feature->kind == FEATURE_NEEDED;
        without += err && feature->kind == FEATURE_OPTIONAL;
    }
    say_runtimes();
    if (missing)
        safe_text__print(stdout, "hearth cannot record here: %zu of the things it needs are missing.", missing);
    else if (without)
        safe_text__print(stdout, "hearth can record here; without %zu things, as said above.", without);
    else
        safe_text__print(stdout, "hearth can record here, with everything it knows.");
    return missing ? EXIT_CODE_LACKS : EXIT_CODE_DONE;
}

static const struct option_row rows[] = {{0}};

const struct command cmd_doctor = {
    .name = "doctor",
    .summary = "tell what this kernel and this user allow, and how to get the rest",
    .options = rows,
    .run = run,
};
