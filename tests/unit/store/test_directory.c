// The directory of a daemon: its writer changes with the day, room is kept, what is old goes, and what breaks is set
// aside; killed at any moment, it has each count once.
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#include "store/base/clock.h"
#include "store/directory/directory.h"
#include "store/directory/incidents.h"
#include "store/directory/listing.h"
#include "store/directory/watermark.h"
#include "tests/unit/store/everything.h"

#define HOUR_NS  (3600 * SECOND_NS)
#define DAY      19000u
#define BEGIN_NS (DAY * DAY_NS)

static char folder[PATH_MAX];

static int make_folder(void **state)
{
    (void)state;
    scratch__make(folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    scratch__remove(folder);
    return 0;
}

static struct store_directory *open_directory(const struct store_limits *limits)
{
    struct store_directory *directory = NULL;
    struct fault fault = {0};
    if (store_directory__open(folder, limits, BEGIN_NS, 0, &fault, &directory))
        fail_msg("%s", fault.text);
    return directory;
}

static struct store_writer *open_writer; // of the directory

// Ends what is written, and the directory too.
static void close_directory(struct store_directory **directory)
{
    store_writer__free(take_pointer(open_writer));
    store_directory__free(take_pointer(*directory));
}

static bool append_at(struct store_directory *directory, uint64_t start_ns, size_t rows, struct model *model)
{
    struct fault fault = {0};
    bool is_new = store_directory__is_over(directory, start_ns);
    struct store_writer *before = is_new ? take_pointer(open_writer) : NULL;
    if ((is_new && store_directory__begin(directory, start_ns, &meta, &fault, &open_writer)) ||
        store_directory__make_room(directory, &fault) || append_load(open_writer, start_ns, rows, NULL, model, &fault))
        fail_msg("%s", fault.text);
    store_writer__free(before);
    return is_new;
}

static struct maintained maintain(struct store_directory *directory, uint64_t now_ns)
{
    struct maintenance plan;
    struct maintained done;
    struct fault fault = {0};
    store_directory__maintenance(directory, now_ns, now_ns - BEGIN_NS, 0, &plan);
    assert_true(plan.now_ns == now_ns);
    if (maintenance__run(&plan, &fault, &done))
        fail_msg("%s", fault.text);
    return done;
}

static size_t count_files(const char *words)
{
    _cleanup_(listing__release) struct listing listing = {0};
    size_t count = 0;
    must(listing__read(folder, NULL, &listing));
    for (size_t i = 0; i < listing.count; i++)
        count += strstr(listing.items[i].name, words) != NULL;
    return count;
}

static void a_day_is_a_file(void **state)
{
    (void)state;
    struct store_limits limits = store_limits__default();
    _cleanup_(close_directory) struct store_directory *directory = open_directory(&limits);
    _cleanup_(model__release) struct model written = {0}, read = {0};
    struct store_directory *second = NULL;
    assert_int_equal(store_directory__open(folder, &limits, 0, 0, NULL, &second), -EBUSY);
    assert_true(append_at(directory, BEGIN_NS + DAY_NS - 10 * SECOND_NS, 50, &written));
    assert_true(append_at(directory, BEGIN_NS + DAY_NS, 50, &written));
    assert_false(append_at(directory, BEGIN_NS + DAY_NS + 10 * SECOND_NS, 50, &written));
    assert_true(append_at(directory, BEGIN_NS + 5 * SECOND_NS, 50, &written)); // the clock was set back
    assert_true(append_at(directory, BEGIN_NS + 365 * DAY_NS, 50, &written));  // and ahead
    assert_true(append_at(directory, BEGIN_NS + DAY_NS + HOUR_NS, 50, &written));
    assert_int_equal(count_files(".full.1.db"), 3);
    assert_int_equal(count_files(".db"), 3);
    close_directory(&directory);
    directory = open_directory(&limits); // the daemon was restarted
    assert_true(append_at(directory, BEGIN_NS + DAY_NS + 2 * HOUR_NS, 50, &written));
    assert_int_equal(count_files(".db"), 3);
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(folder);
    read_model(reader, &(struct store_query){0}, &read);
    model__assert_equal(&written, &read);
    _cleanup_(store_reader__freep) struct store_reader *part = NULL;
    struct store_part range = {.since_ns = BEGIN_NS + 300 * DAY_NS};
    must(store_reader__open_part(folder, &range, NULL, &part));
    struct store_size size;
    must(store_reader__size(part, NULL, &size));
    assert_int_equal(size.files, 1);
}

// A clock that goes ahead by a year makes nothing old.
static void time_is_not_believed_at_once(void **state)
{
    (void)state;
    struct store_limits limits = store_limits__default();
    _cleanup_(close_directory) struct store_directory *directory = open_directory(&limits);
    struct maintenance plan;
    store_directory__maintenance(directory, BEGIN_NS + 365 * DAY_NS, HOUR_NS, 0, &plan);
    assert_true(plan.now_ns == BEGIN_NS + HOUR_NS + DAY_NS);
    store_directory__maintenance(directory, BEGIN_NS - 365 * DAY_NS, HOUR_NS, 0, &plan);
    assert_true(plan.now_ns == BEGIN_NS - 365 * DAY_NS);
}

static void each_tier_has_its_age(void **state)
{
    (void)state;
    struct store_limits limits = store_limits__default();
    _cleanup_(close_directory) struct store_directory *directory = open_directory(&limits);
    struct fault fault = {0};
    for (uint64_t at = 0; at < 4 * DAY_NS; at += 3 * HOUR_NS)
        append_at(directory, BEGIN_NS + at, 20, NULL);
    _cleanup_(model__release) struct model all = everything__read(folder, &(struct store_query){0}, HOUR_NS);
    const struct {
        uint64_t days;
        size_t full, minutes, hours;
    } steps[] = {{2, 4, 2, 2}, {3, 3, 3, 3}, {4, 2, 4, 4}, {6, 1, 4, 4}, {16, 1, 2, 4}, {30, 1, 0, 4}, {402, 1, 0, 2}};
    must(watermark__set(folder, "push", BEGIN_NS + 4 * DAY_NS, &fault));
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        if (steps[i].days == 3) { // one reader has read nothing of the first day
            must(watermark__set(folder, "slow", BEGIN_NS + HOUR_NS, &fault));
            maintain(directory, BEGIN_NS + steps[i].days * DAY_NS);
            assert_int_equal(count_files(".full."), 4);
            must(watermark__forget(folder, "slow", &fault));
        }
        maintain(directory, BEGIN_NS + steps[i].days * DAY_NS);
        assert_int_equal(count_files(".full."), steps[i].full);
        assert_int_equal(count_files(".1min."), steps[i].minutes);
        assert_int_equal(count_files(".1h."), steps[i].hours);
        if (steps[i].days > 400)
            break;
        _cleanup_(model__release) struct model left = everything__read(folder, &(struct store_query){0}, HOUR_NS);
        model__assert_equal(&all, &left);
    }
}

static void the_cap_holds(void **state)
{
    (void)state;
    struct store_limits limits = store_limits__default();
    limits.bytes_most = 4 << 20;
    _cleanup_(close_directory) struct store_directory *directory = open_directory(&limits);
    for (uint64_t at = 0; at < 7 * HOUR_NS; at += 120 * SECOND_NS) {
        _cleanup_(listing__release) struct listing listing = {0};
        append_at(directory, BEGIN_NS + at, 800, NULL);
        must(listing__read(folder, NULL, &listing));
        assert_true(listing.bytes <= limits.bytes_most);
    }
    assert_true(count_files(".full.") > 3);
    assert_int_equal(count_files(".full.1.db"), 0); // the oldest
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(folder);
    assert_int_equal(store_reader__damage(reader)->places, 0);
}

static void put_incident(uint64_t began_ns, uint64_t number, size_t bytes)
{
    char name[INCIDENT_NAME_BYTES], path[PATH_MAX + 64];
    incident__name(began_ns, number, name);
    snprintf(path, sizeof(path), "%s/" INCIDENTS_FOLDER "/%s", folder, name);
    _cleanup_file_ FILE *file = fopen(path, "we");
    for (size_t i = 0; i < bytes; i++)
        fputc('x', file);
}

static void incidents_count_and_go_last(void **state)
{
    (void)state;
    struct store_limits limits = store_limits__default();
    struct retirement retired = {0};
    uint64_t now_ns = clock__ns(CLOCK_REALTIME);
    limits.bytes_most = 4 << 20;
    must(incidents__make(folder, NULL));
    put_incident(now_ns - HOUR_NS, 1, 1 << 20);
    put_incident(now_ns - 2 * HOUR_NS, 2, 1 << 20);
    put_incident(now_ns, 3, 1 << 20); // may be written still
    _cleanup_(close_directory) struct store_directory *directory = open_directory(&limits);
    for (uint64_t at = 0; at < HOUR_NS; at += 120 * SECOND_NS)
        append_at(directory, BEGIN_NS + at, 800, NULL);
    _cleanup_(listing__release) struct listing listing = {0};
    must(listing__read(folder, NULL, &listing));
    assert_true(listing.bytes > 3 << 20 && listing.bytes <= limits.bytes_most);
    must(retirement__make_room(folder, &limits, "", 5 << 19, NULL, &retired));
    assert_int_equal(count_files(".full."), 0);
    assert_true(incidents__bytes(folder) >= 1 << 20 && incidents__bytes(folder) < 2 << 20);
    assert_int_equal(retirement__make_room(folder, &limits, "", 4 << 20, NULL, &retired), -ENOSPC);
    assert_true(incidents__bytes(folder) >= 1 << 20);
}

static void overwrite(const char *name, off_t at)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%.4000s/%s", folder, name);
    _cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    char garbage[2048];
    memset(garbage, 0x5a, sizeof(garbage));
    assert_int_equal(pwrite(fd, garbage, sizeof(garbage), at), sizeof(garbage));
}

static void a_damaged_file_is_set_aside(void **state)
{
    (void)state;
    struct store_limits limits = store_limits__default();
    _cleanup_(close_directory) struct store_directory *directory = open_directory(&limits);
    _cleanup_(model__release) struct model written = {0}, read = {0};
    append_at(directory, BEGIN_NS, 50, NULL);
    close_directory(&directory);
    overwrite("2022-01-08.full.1.db", 0);
    directory = open_directory(&limits);
    assert_true(append_at(directory, BEGIN_NS + 10 * SECOND_NS, 50, &written));
    assert_string_equal(store_directory__aside(directory), "2022-01-08.full.1.db");
    assert_string_equal(store_directory__aside(directory), "");
    must(store_directory__set_aside(directory, NULL));
    store_writer__free(take_pointer(open_writer)); // as if the writer had found damage
    assert_string_equal(store_directory__aside(directory), "2022-01-08.full.2.db");
    assert_true(append_at(directory, BEGIN_NS + 20 * SECOND_NS, 50, &read));
    model__release(&written);
    written = read;
    read = (struct model){0};
    assert_int_equal(count_files(".full.3.db"), 1);
    assert_int_equal(count_files(".db.damaged"), 2);
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(folder);
    read_model(reader, &(struct store_query){0}, &read);
    model__assert_equal(&written, &read);
    assert_int_equal(store_reader__damage(reader)->places, 2);
}

// A file of sums that is damaged loses nothing as long as its parts are there.
static void damaged_sums_are_made_again(void **state)
{
    (void)state;
    struct store_limits limits = store_limits__default();
    _cleanup_(close_directory) struct store_directory *directory = open_directory(&limits);
    for (uint64_t at = 0; at < HOUR_NS; at += 60 * SECOND_NS)
        append_at(directory, BEGIN_NS + at, 20, NULL);
    _cleanup_(model__release) struct model all = everything__read(folder, &(struct store_query){0}, HOUR_NS);
    maintain(directory, BEGIN_NS + 2 * HOUR_NS);
    overwrite("2022-01-08.1min.1.db", 0);
    maintain(directory, BEGIN_NS + 2 * HOUR_NS);
    assert_int_equal(count_files(".1min.1.db.damaged"), 1);
    assert_int_equal(count_files(".1min.2.db"), 1);
    maintain(directory, BEGIN_NS + 10 * DAY_NS);
    assert_int_equal(count_files(".full."), 1); // the live one
    _cleanup_(model__release) struct model left = everything__read(folder, &(struct store_query){0}, HOUR_NS);
    model__assert_equal(&all, &left);
}

// A child that maintains until it is killed; the parent kills it after that many us.
static bool maintain_and_be_killed(uint64_t now_ns, useconds_t after_us)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct maintenance plan = {.limits = store_limits__default(), .now_ns = now_ns};
        struct maintained done;
        snprintf(plan.directory, sizeof(plan.directory), "%.4000s", folder);
        _exit(maintenance__run(&plan, NULL, &done) ? 1 : 0);
    }
    usleep(after_us);
    kill(child, SIGKILL);
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

static void a_kill_loses_nothing(void **state)
{
    (void)state;
    struct store_limits limits = store_limits__default();
    struct store_directory *directory = open_directory(&limits);
    for (uint64_t at = 0; at < 2 * DAY_NS; at += 1400 * SECOND_NS)
        append_at(directory, BEGIN_NS + at, 30, NULL);
    store_directory__free(directory);
    _cleanup_(model__release) struct model all = everything__read(folder, &(struct store_query){0}, HOUR_NS);
    const uint64_t days[] = {2, 3, 4, 16, 17}; // when files go
    useconds_t most_us = 2000;
    size_t kills = 0, ends = 0;
    for (size_t day = 0; day < 5; day++, most_us = 2000)
        for (bool is_killed = true; is_killed; most_us = most_us * 2) { // longer and longer, until it comes to its end
            is_killed = maintain_and_be_killed(BEGIN_NS + days[day] * DAY_NS, (useconds_t)any(most_us));
            kills += is_killed;
            ends += !is_killed;
            struct store_query query = {.is_coarse = any(2)};
            _cleanup_(model__release) struct model left = everything__read(folder, &query, HOUR_NS);
            model__assert_equal(&all, &left);
        }
    assert_true(kills > 10 && ends == 5);
    assert_int_equal(count_files(".1h."), 2);
    assert_int_equal(count_files(".full.") + count_files(".1min."), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_day_is_a_file, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(time_is_not_believed_at_once, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(each_tier_has_its_age, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_cap_holds, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(incidents_count_and_go_last, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_damaged_file_is_set_aside, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(damaged_sums_are_made_again, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_kill_loses_nothing, make_folder, remove_folder),
    };
    return cmocka_run_group_tests_name("store: directory", tests, NULL, NULL);
}
