// Several files as one store: what is equal has one id, and nothing is lost or mixed up; and writers that forget.
#include "store/base/limits.h"
#include "tests/unit/store/load.h"

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

static void make_file(const char *name, uint64_t start_ns, uint64_t seed, struct model *model)
{
    char path[PATH_MAX];
    snprintf(path, sizeof(path), "%.4000s/%s", folder, name);
    struct store_writer *writer = create(path);
    random_state = seed; // a different order of everything, events included
    for (uint64_t i = 0; i < 4; i++)
        must(append_load(writer, start_ns + i * 10 * SECOND_NS, 200, NULL, model, NULL));
    close_writer(writer);
}

static int check_order(const struct store_interval_row *row, void *context)
{
    struct store_interval_row *last = context;
    assert_true(row->interval.start_ns >= last->interval.start_ns);
    assert_int_equal(row->id, last->id + 1);
    *last = *row;
    return 0;
}

// No two records of a dictionary are the same thing.
static void assert_joined(struct store_reader *reader)
{
    assert_int_equal(store_reader__event_count(reader), 3);
    assert_int_equal(store_reader__binary_count(reader), LOAD_BINARIES);
    assert_true(store_reader__process_count(reader) <= 20);
    assert_true(store_reader__thread_count(reader) <= 60);
    assert_true(store_reader__frame_count(reader) <= LOAD_FUNCTIONS);
    const struct store_trie *trie;
    must(store_reader__trie(reader, NULL, &trie));
    struct model nodes = {0};
    for (uint32_t i = 1; i < trie->count; i++)
        model__add(&nodes, (uint64_t)trie->parents[i] << 32 | trie->frames[i], 1, 0);
    model__settle(&nodes);
    assert_int_equal(nodes.count, trie->count - 1);
    model__release(&nodes);
}

static void day_files_are_one_store(void **state)
{
    (void)state;
    _cleanup_(model__release) struct model written = {0}, read = {0};
    char other[PATH_MAX];
    struct fault fault = {0};
    make_file("b.db", START_NS, 3, &written); // not in the order of names
    make_file("a.db", START_NS + 40 * SECOND_NS, 5, &written);
    make_file("c.db", START_NS + 80 * SECOND_NS, 9, &written);
    snprintf(other, sizeof(other), "%.4000s/notes.txt", folder);
    close(open(other, O_CREAT | O_CLOEXEC | O_WRONLY, 0644));
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(folder);
    read_model(reader, &(struct store_query){0}, &read);
    model__assert_equal(&written, &read);
    assert_joined(reader);
    struct store_interval_row last = {0};
    must(store_reader__intervals(reader, &(struct store_query){0}, &fault, check_order, &last));
    assert_int_equal(last.id, 12);
    assert_int_equal(store_reader__damage(reader)->places, 0);
}

static void a_damaged_file_costs_itself(void **state)
{
    (void)state;
    _cleanup_(model__release) struct model written = {0}, read = {0};
    char path[PATH_MAX];
    make_file("a.db", START_NS, 3, &written);
    make_file("b.db", START_NS + 40 * SECOND_NS, 5, NULL);
    make_file("c.db", START_NS + 80 * SECOND_NS, 9, &written);
    snprintf(path, sizeof(path), "%.4000s/b.db", folder);
    _cleanup_fd_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "garbage garbage", 15, 0), 15);
    snprintf(path, sizeof(path), "%.4000s/d.db", folder);
    must(mkfifo(path, 0644)); // nobody writes into it
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(folder);
    read_model(reader, &(struct store_query){0}, &read);
    model__assert_equal(&written, &read);
    assert_int_equal(store_reader__damage(reader)->places, 2);
    assert_non_null(strstr(store_reader__damage(reader)->first, "b.db"));
}

// The same address of a process' JIT code had one name yesterday and another one today.
static void frames_of_the_same_place_keep_their_own_names(void **state)
{
    (void)state;
    static const char *const names[] = {"yesterday", "today"};
    char path[PATH_MAX];
    remove_folder(state);
    make_folder(state);
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%.4000s/%c.db", folder, 'a' + i);
        struct store_writer *writer = create(path);
        uint32_t binary, frame, node;
        struct store_binary jit = {.kind = STORE_BINARY_JIT, .path = "[jit] 7"};
        must(store_writer__binary(writer, &jit, &binary));
        must(store_writer__frame(writer, binary, 0x1000, &frame, NULL));
        must(store_writer__stack(writer, &frame, 1, &node));
        struct store_line line = {.function = names[i], .file = ""};
        must(store_writer__name(writer, frame, &line, 1));
        struct store_interval interval = {.start_ns = START_NS + (uint64_t)i, .end_ns = START_NS + (uint64_t)i + 1};
        must(store_writer__append(writer, &interval, NULL, 0, NULL, 0, NULL));
        close_writer(writer);
    }
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(folder);
    assert_int_equal(store_reader__frame_count(reader), 2);
    for (uint32_t i = 0; i < 2; i++)
        assert_string_equal(store_reader__frame(reader, i + 1)->chain[0].function, names[i]);
}

#define MANY (LIMIT_STORE_NODES + LIMIT_STORE_FRAMES)

// A stack of its own for each number: more than the writer remembers, each named, seen in two rounds.
static void append_many(struct store_writer *writer, uint32_t binary, uint32_t thread, uint64_t start_ns)
{
    const size_t batch = 50000;
    struct store_value *values = calloc(batch, sizeof(*values));
    assert_non_null(values);
    for (uint32_t first = 0; first < MANY; first += (uint32_t)batch) {
        size_t count = MANY - first < batch ? MANY - first : batch;
        for (uint32_t i = 0; i < count; i++) {
            uint32_t frame;
            bool is_new;
            must(store_writer__frame(writer, binary, (first + i) / 3, &frame, &is_new));
            if (is_new) {
                char name[32];
                snprintf(name, sizeof(name), "function_%u", (first + i) / 3);
                must(store_writer__name(writer, frame, &(struct store_line){.function = name, .file = "a.c"}, 1));
            }
            uint32_t frames[] = {frame, frame, frame};
            values[i] = (struct store_value){.event = 1, .thread = thread, .count = 1, .value = 1};
            must(store_writer__stack(writer, frames, 1 + (first + i) % 3, &values[i].node));
        }
        struct store_interval interval = {.start_ns = start_ns + first, .end_ns = start_ns + first + 1};
        must(store_writer__append(writer, &interval, values, count, NULL, 0, NULL));
    }
    free(values);
}

static int count_node(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    uint8_t *seen = context;
    (void)row;
    assert_true(value->count == 1);
    seen[value->node]++;
    return 0;
}

static void a_writer_that_forgets_loses_nothing(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct fault fault = {0};
    const struct store_trie *trie;
    snprintf(path, sizeof(path), "%.4000s/d.db", folder);
    struct store_writer *writer = create(path);
    uint32_t event, binary, process, thread;
    must(store_writer__event(writer, &load_events[0], &event));
    must(store_writer__binary(writer, &(struct store_binary){.path = "/bin/b"}, &binary));
    must(store_writer__process(writer, &(struct store_process){.pid = 1, .start_ns = 1, .comm = "x"}, &process));
    must(store_writer__thread(writer, process, 0, "x", &thread));
    append_many(writer, binary, thread, START_NS);
    append_many(writer, binary, thread, START_NS + SECOND_NS);
    close_writer(writer);
    _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
    must(store_reader__trie(reader, &fault, &trie));
    assert_int_equal(store_reader__frame_count(reader), (MANY + 2) / 3);
    assert_int_equal(trie->count - 1, MANY);
    _cleanup_free_ uint8_t *seen = calloc(trie->count, 1);
    must(store_reader__values(reader, &(struct store_query){0}, &fault, count_node, seen));
    for (uint32_t i = 1; i < trie->count; i++)
        assert_int_equal(seen[i], 2);
}

struct depth_sums {
    const struct store_trie *trie;
    uint64_t counts[4], names;
};

static int count_depth(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    struct depth_sums *sums = context;
    uint32_t depth = 0, first = sums->trie->frames[value->node];
    (void)row;
    for (uint32_t at = value->node; at; at = sums->trie->parents[at], depth++)
        assert_int_equal(sums->trie->frames[at], first);
    assert_true(depth >= 1 && depth <= 3);
    sums->counts[depth] += value->count;
    sums->names += first;
    return 0;
}

// The same store, for a reader that may have a node twice: the same stacks, each as often.
static void twins_are_the_same_stacks(void **state)
{
    (void)state;
    char path[PATH_MAX];
    struct fault fault = {0};
    struct depth_sums sums[2] = {0};
    snprintf(path, sizeof(path), "%.4000s/d.db", folder);
    for (size_t twins = 0; twins < 2; twins++) {
        _cleanup_(store_reader__freep) struct store_reader *reader = open_store(path);
        if (twins)
            store_reader__allow_twins(reader);
        must(store_reader__trie(reader, &fault, &sums[twins].trie));
        assert_true(twins ? sums[1].trie->count - 1 > MANY : sums[0].trie->count - 1 == MANY);
        must(store_reader__values(reader, &(struct store_query){0}, &fault, count_depth, &sums[twins]));
        sums[twins].trie = NULL;
    }
    assert_memory_equal(&sums[0], &sums[1], sizeof(sums[0]));
    assert_int_equal(sums[0].counts[1] + sums[0].counts[2] + sums[0].counts[3], 2 * MANY);
}

// The values of a range. Their stacks are compared by name: numbers of nodes depend on what was read.
struct late {
    struct store_value values[8192];
    size_t count;
};

static int gather_value(const struct store_interval_row *row, const struct store_value *value, void *context)
{
    struct late *late = context;
    (void)row;
    assert_true(late->count < sizeof(late->values) / sizeof(late->values[0]));
    late->values[late->count++] = *value;
    return 0;
}

static uint64_t hash_stacks(struct store_reader *reader, const struct store_trie *trie, const struct late *late)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < late->count; i++) {
        uint64_t hash = 1;
        for (uint32_t at = late->values[i].node; at; at = trie->parents[at]) {
            const struct store_frame *frame = store_reader__frame(reader, trie->frames[at]);
            const char *path = store_reader__binary(reader, frame->binary)->path;
            hash = hash__pair(hash__pair(hash, frame->offset), hash__bytes(path, strlen(path)));
        }
        sum += hash * late->values[i].count;
    }
    return sum;
}

// A caller who asks for the trie behind the values gets the stacks of those values, joined bit by bit, and, when he
// asks on, those of the next ones.
static void stacks_asked_for_late_are_the_same(void **state)
{
    (void)state;
    static struct late early, first, second;
    const struct store_trie *trie;
    struct fault fault = {0};
    _cleanup_(store_reader__freep) struct store_reader *whole = open_store(folder), *late = open_store(folder);
    must(store_reader__trie(whole, &fault, &trie));
    must(store_reader__values(whole, &(struct store_query){0}, &fault, gather_value, &early));
    uint64_t wanted = hash_stacks(whole, trie, &early);
    uint32_t all = trie->count;

    store_reader__allow_twins(late);
    const struct store_query query = {.until_ns = START_NS + 10 * SECOND_NS};
    must(store_reader__values(late, &query, &fault, gather_value, &first));
    must(store_reader__trie(late, &fault, &trie));
    assert_in_range(trie->count, 2, all - 1);
    assert_true(hash_stacks(late, trie, &first) != 0);
    must(store_reader__values(late, &(struct store_query){0}, &fault, gather_value, &second));
    must(store_reader__trie(late, &fault, &trie));
    assert_int_equal(second.count, early.count);
    assert_true(hash_stacks(late, trie, &second) == wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(day_files_are_one_store),
        cmocka_unit_test(stacks_asked_for_late_are_the_same), // before a file is damaged
        cmocka_unit_test(a_damaged_file_costs_itself),
        cmocka_unit_test(frames_of_the_same_place_keep_their_own_names),
        cmocka_unit_test(a_writer_that_forgets_loses_nothing), // before the next, which reads its store
        cmocka_unit_test(twins_are_the_same_stacks),
    };
    return cmocka_run_group_tests_name("store: files", tests, make_folder, remove_folder);
}
