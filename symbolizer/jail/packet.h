// Packets with descriptors over a SOCK_SEQPACKET pair, between the symbolizer and the processes that it forks: the
// keeper, the workers (job.h), the opener (opener.h).
#ifndef HEARTH_SYMBOLIZER_JAIL_PACKET_H
#define HEARTH_SYMBOLIZER_JAIL_PACKET_H

#include <stddef.h>
#include <stdint.h>

#define PACKET_FDS 2

struct packet_fds {
    int fds[PACKET_FDS]; // -1: none
};

// A pair of sockets. Sends on the first end give up after `patience_ms` when the other side reads no more (0: never).
int packet__pair(int64_t patience_ms, int ret_pair[2]);

// Sends `length` bytes and the descriptors that are not -1 (they stay open here). -EPIPE: the other side is gone;
// -ETIMEDOUT: the other side read nothing for `patience_ms` of packet__pair().
int packet__send(int socket, const void *bytes, size_t length, const struct packet_fds *fds);

// Receives a packet of exactly `length` bytes. -EPIPE: the other side is gone; -EBADMSG: another length;
// -ETIMEDOUT: nothing came by `deadline_ms` of CLOCK_MONOTONIC (-1: wait for ever). Descriptors are yours.
int packet__receive(int socket, int64_t deadline_ms, void *bytes, size_t length, struct packet_fds *ret_fds);

void packet__close(struct packet_fds *fds);
int64_t packet__now_ms(void);

#endif
