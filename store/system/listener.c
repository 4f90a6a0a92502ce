#include "store/system/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "store/base/cleanup.h"
#include "store/base/limits.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_port(const char *text, in_port_t *ret_port)
{
    char *end;
    unsigned long port = strtoul(text, &end, 10);
    *ret_port = htons((in_port_t)port);
    return *text >= '0' && *text <= '9' && !*end && port <= 65535;
}

static bool parse(const char *text, union address *ret_address, socklen_t *ret_bytes)
{
    char host[INET6_ADDRSTRLEN + 2];
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    in_port_t port;
    if (!length || length >= sizeof(host) || !parse_port(colon + 1, &port))
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    if (*host == '[' && host[length - 1] == ']') {
        host[length - 1] = '\0';
        ret_address->v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = port};
        *ret_bytes = sizeof(ret_address->v6);
        return inet_pton(AF_INET6, host + 1, &ret_address->v6.sin6_addr) == 1;
    }
    ret_address->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = port};
    *ret_bytes = sizeof(ret_address->v4);
    return inet_pton(AF_INET, host, &ret_address->v4.sin_addr) == 1;
}

static bool is_loopback(const union address *address)
{
    if (address->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
    return ntohl(address->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static void print_url(const union address *address, char *url, size_t bytes)
{
    char host[INET6_ADDRSTRLEN] = "";
    bool is_v6 = address->any.sa_family == AF_INET6;
    const void *number = is_v6 ? (const void *)&address->v6.sin6_addr : &address->v4.sin_addr;
    inet_ntop(address->any.sa_family, number, host, sizeof(host));
    snprintf(url, bytes, is_v6 ? "http://[%s]:%u/" : "http://%s:%u/", host,
             ntohs(is_v6 ? address->v6.sin6_port : address->v4.sin_port));
}

static int parse_or_say(const char *option, const char *text, union address *ret_address, socklen_t *ret_bytes,
                        struct fault *fault)
{
    if (parse(text, ret_address, ret_bytes))
        return 0;
    return fault__set_code(fault, EXIT_CODE_USAGE, -EINVAL,
                           "%s '%s' is no address and port such as 127.0.0.1:8680 or [::1]:8680", option, text);
}

int listener__check(const char *option, const char *text, struct fault *fault)
{
    union address address = {0};
    socklen_t bytes = 0;
    return parse_or_say(option, text, &address, &bytes, fault);
}

int listener__open(const char *option, const char *text, struct fault *fault, struct listener *ret_listener)
{
    union address address = {0};
    socklen_t bytes = 0;
    int yes = 1;
    int err = parse_or_say(option, text, &address, &bytes, fault);
    if (err)
        return err;
    _cleanup_fd_ int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (fd < 0 || bind(fd, &address.any, bytes) != 0 || listen(fd, LIMIT_SERVE_CONNECTIONS) != 0)
        return fault__set(fault, -errno, "cannot listen on '%s': %s; choose another port with %s", text,
                          strerror(errno), option);
    bytes = sizeof(address);
    if (getsockname(fd, &address.any, &bytes) != 0)
        return fault__set(fault, -errno, "getsockname() of '%s': %s", text, strerror(errno));
    ret_listener->is_loopback = is_loopback(&address);
    print_url(&address, ret_listener->url, sizeof(ret_listener->url));
    ret_listener->fd = take_fd(&fd);
    return 0;
}
