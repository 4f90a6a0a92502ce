/* A process with code that no file holds, described as runtimes do: `jit map` by /tmp/perf-PID.map, `jit dump FOLDER`
   by FOLDER/jit-PID.dump. Prints the address of its code and waits. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void record(FILE *file, uint32_t kind, const void *body, uint32_t bytes, const char *name)
{
    uint32_t total = 16 + bytes + (name ? (uint32_t)strlen(name) + 1 : 0);
    fwrite(&kind, 4, 1, file);
    fwrite(&total, 4, 1, file);
    fwrite(&(uint64_t){0}, 8, 1, file);
    fwrite(body, 1, bytes, file);
    if (name)
        fwrite(name, 1, strlen(name) + 1, file);
}

static void load(FILE *file, uint64_t address, uint64_t bytes, uint64_t index, const char *name)
{
    struct {
        uint32_t pid, tid;
        uint64_t memory, address, bytes, index;
    } body = {(uint32_t)getpid(), (uint32_t)getpid(), address, address, bytes, index};
    record(file, 0, &body, sizeof(body), name);
}

static void write_dump(const char *path, uint64_t code)
{
    FILE *file = fopen(path, "we");
    uint32_t header[10] = {0x4a695444, 1, 40, 62, 0, (uint32_t)getpid()};
    struct {
        uint64_t address, count;
        uint64_t first;
        uint32_t line, discriminator;
        char name[8];
    } info = {code, 1, code, 33, 0, "app.js"};
    struct {
        uint32_t pid, tid;
        uint64_t memory, old_address, new_address, bytes, index;
    } move = {1, 1, code + 512, code + 256, code + 512, 64, 2};
    fwrite(header, sizeof(header), 1, file);
    load(file, code, 64, 0, "replaced by the next one");
    record(file, 2, &info, 16 + 16 + 7, NULL);
    load(file, code, 64, 1, "handle");
    load(file, code + 256, 64, 2, "moved");
    record(file, 1, &move, sizeof(move), NULL);
    load(file, code + 256, 64, 3, "came to the old place");
    fclose(file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
}

static void write_map(const char *path, uint64_t code)
{
    FILE *file = fopen(path, "we");
    fprintf(file, "%lx 40 replaced by the next one\nnot a line\n%lx 40 LazyCompile:~handle /srv/app.js:12\n", code,
            code);
    fprintf(file, "%lx 40 evil\033[31m name\n", code + 256);
    // As other runtimes and systems write them, a function each 64 bytes.
    fprintf(file, "0x%lx 0x40 with 0x\r\n%lx\t40\ttabs\n%lx  40   blanks\n%lX 40 big digits (a.js:1:2)\n", code + 512,
            code + 576, code + 640, code + 704);
    fprintf(file, "-1 40 negative\n%lx 1ffffffffffffffff too large\n%lx\n%lx 40 \n%lx 40 no end", code + 768,
            code + 768, code + 768, code + 832);
    fclose(file);
}

int main(int argc, char **argv)
{
    char path[256];
    void *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (argc > 2) {
        snprintf(path, sizeof(path), "%s/jit-%d.dump", argv[2], getpid());
        write_dump(path, (uint64_t)code);
    } else {
        snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
        write_map(path, (uint64_t)code);
    }
    printf("%lx\n", (unsigned long)code);
    fflush(stdout);
    pause();
    unlink(path);
    return 0;
}
