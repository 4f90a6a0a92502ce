// Starts threads that leave signals to the main thread.
#ifndef HEARTH_STORE_SYSTEM_THREAD_H
#define HEARTH_STORE_SYSTEM_THREAD_H

#include <pthread.h>

// pthread_create() with all signals blocked in the new thread. 0, or -EAGAIN and the like.
int thread__start(void *(*run)(void *argument), void *argument, pthread_t *ret_thread);

#endif
