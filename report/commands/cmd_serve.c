// `hearth serve`: a store as pages, for a browser.
#include "report/commands/cmd_serve.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "report/query/filter.h"
#include "report/serve/serve.h"
#include "store/system/confinement.h"
#include "store/system/microhttpd.h"

static struct serve_command_options {
    const char *store, *listen, *token_file, *sources;
} options = {.listen = "127.0.0.1:8680"};

static const struct option_row rows[] = {
    {'i', "input", "STORE", "the store to read (./hearth.db, else the daemon's)", option__string,
     offsetof(struct serve_command_options, store)},
    {0, "listen", "ADDRESS:PORT", "where to listen (127.0.0.1:8680); port 0: one that is free", option__string,
     offsetof(struct serve_command_options, listen)},
    {0, "token-file", "FILE", "ask for the token in FILE, as a password", option__string,
     offsetof(struct serve_command_options, token_file)},
    {0, "source", "DIR", "show the source files below DIR, which are named by debug information", option__string,
     offsetof(struct serve_command_options, sources)},
    {0},
};

static int check(const char *store, const struct serve_options *serve, struct fault *fault)
{
    struct stat status;
    if (stat(store, &status) != 0)
        return fault__set(fault, -errno, "cannot read the store '%s': %s", store, strerror(errno));
    if (serve->sources && (stat(serve->sources, &status) != 0 || !S_ISDIR(status.st_mode)))
        return fault__set_code(fault, EXIT_CODE_USAGE, -ENOTDIR, "--source '%s' is no folder that can be read",
                               serve->sources);
    if (!serve->listener.is_loopback && !*serve->admission.token)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "--listen '%s' can be reached from other hosts; it needs a --token-file, and a proxy "
                               "that adds TLS",
                               options.listen);
    return 0;
}

static int serve(const char *store, struct fault *fault)
{
    struct serve_options serve = {.store = store, .sources = options.sources};
    int err = admission__load(options.token_file, fault, &serve.admission);
    if (!err)
        err = listener__open("--listen", options.listen, fault, &serve.listener);
    if (!err)
        err = microhttpd__load(fault);
    if (!err)
        err = check(store, &serve, fault);
    if (!err)
        err = confinement__enter(store, options.sources, fault);
    if (err)
        return err;
    fault__warn("serving '%s' on %s until Ctrl-C", store, serve.listener.url);
    return serve__run(&serve, fault);
}

static enum exit_code run(int argc, char **argv)
{
    struct fault fault = {0};
    if (argc > 1 || (argc == 1 && options.store)) {
        fault__warn("unexpected operand '%s'; `hearth serve -h` tells more", argv[argc - 1]);
        return EXIT_CODE_USAGE;
    }
    int err = serve(filter__store(argc ? argv[0] : options.store), &fault);
    return err ? fault__say(&fault, err) : EXIT_CODE_DONE;
}

const struct command cmd_serve = {
    .name = "serve",
    .operands = "[STORE]",
    .summary = "show a store in a browser: time lines, heat maps, flame graphs",
    .details = "The server only reads: it gives up every privilege but reading, and every file but the store\nand "
               "the sources of --source. It "
               "answers this\n"
               "host alone, unless --listen and --token-file say otherwise; put a proxy with TLS before it then. The "
               "user name\n"
               "that a browser asks for may be anything.\n",
    .options = rows,
    .values = &options,
    .run = run,
};
