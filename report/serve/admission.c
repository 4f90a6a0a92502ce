#include "report/serve/admission.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "store/base/cleanup.h"

int admission__load(const char *token_file, struct fault *fault, struct admission *ret_admission)
{
    struct stat status;
    char *token = ret_admission->token;
    *token = '\0';
    if (!token_file)
        return 0;
    _cleanup_fd_ int fd = open(token_file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t bytes = fd >= 0 && fstat(fd, &status) == 0 ? read(fd, token, ADMISSION_TOKEN_MOST) : -1;
    if (bytes < 0)
        return fault__set(fault, -errno, "cannot read the token '%s': %s", token_file, strerror(errno));
    if (status.st_mode & 077)
        return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                               "the token '%s' can be read by others than its owner; `chmod 600` it", token_file);
    token[bytes] = '\0';
    token[strcspn(token, "\r\n")] = '\0';
    if (strlen(token) < ADMISSION_TOKEN_LEAST)
        return fault__set_code(
            fault, EXIT_CODE_USAGE, -EINVAL,
            "the token in '%s' is shorter than %u characters; `openssl rand -hex 16` makes a good one", token_file,
            ADMISSION_TOKEN_LEAST);
    return 0;
}

static bool is_loopback_name(const char *host)
{
    static const char *const names[] = {"localhost", "[::1]"};
    size_t length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (strncmp(host, "127.", 4) == 0 && strspn(host, "0123456789.") == length)
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strlen(names[i]) == length && strncasecmp(host, names[i], length) == 0)
            return true;
    return false;
}

// In a time that does not depend on where they differ.
static bool same_secret(const char *given, size_t given_length, const char *secret)
{
    size_t length = strlen(secret);
    unsigned different = given_length != length;
    for (size_t i = 0; i < length; i++)
        different |= (unsigned)(secret[i] ^ (i < given_length ? given[i] : 0));
    return !different;
}

static int digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

// Reads PASSWORD of "NAME:PASSWORD" in base64, cut to fit, and returns its length.
static size_t read_password(const char *text, char ret_password[ADMISSION_TOKEN_MOST + 2])
{
    uint32_t bits = 0, count = 0;
    size_t length = 0;
    bool is_behind_name = false;
    for (; length <= ADMISSION_TOKEN_MOST && digit(*text) >= 0; text++) {
        bits = bits << 6 | (uint32_t)digit(*text);
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        char c = (char)(bits >> count & 0xff);
        if (is_behind_name)
            ret_password[length++] = c;
        is_behind_name |= c == ':';
    }
    return length;
}

static bool holds_token(const struct admission *admission, const char *authorization)
{
    static const char bearer[] = "Bearer ", basic[] = "Basic ";
    char password[ADMISSION_TOKEN_MOST + 2];
    if (!authorization)
        return false;
    if (strncasecmp(authorization, bearer, strlen(bearer)) == 0) {
        authorization += strlen(bearer);
        return same_secret(authorization, strlen(authorization), admission->token);
    }
    return strncasecmp(authorization, basic, strlen(basic)) == 0 &&
           same_secret(password, read_password(authorization + strlen(basic), password), admission->token);
}

enum admission_answer admission__judge(const struct admission *admission, const char *host, const char *authorization)
{
    if (*admission->token)
        return holds_token(admission, authorization) ? ADMISSION_GIVEN : ADMISSION_NEEDS_TOKEN;
    return host && is_loopback_name(host) ? ADMISSION_GIVEN : ADMISSION_WRONG_HOST;
}
