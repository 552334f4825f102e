/*
 * A library that is loaded before a program and makes one path of the file system an I2C bus: opening the path named in
 * FIELDGATE_I2C_DEVICE connects to the Unix socket named in FIELDGATE_I2C_BUS, and I2C_RDWR on what was opened sends its
 * messages there. Everything else passes through. It keeps no list of files: whether one is the bus is asked of the
 * socket itself, so copies, threads and closing need no care.
 *
 * A transfer on the socket: the number of messages (16 bits); for each its address, flags and length (16 bits each), and
 * its bytes if it writes. The answer: messages done, or minus the error's number (32 bits); when all were done, the bytes
 * of each message that reads. All in this machine's byte order.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/i2c-dev.h>
#include <linux/i2c.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

/* As in the kernel, an adapter does one transfer at a time. */
static pthread_mutex_t adapter = PTHREAD_MUTEX_INITIALIZER;

static int is_device(const char *path) {
    const char *device = getenv("FIELDGATE_I2C_DEVICE");
    return device && path && !strcmp(path, device);
}

static int bus_address(struct sockaddr_un *address) {
    const char *bus = getenv("FIELDGATE_I2C_BUS");
    if (!bus || strlen(bus) >= sizeof address->sun_path) return 0;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    strcpy(address->sun_path, bus);
    return 1;
}

static int connect_to_bus(void) {
    struct sockaddr_un address;
    int file = bus_address(&address) ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (file >= 0 && connect(file, (struct sockaddr *)&address, sizeof address) == 0) return file;
    if (file >= 0) close(file);
    errno = ENOENT;
    return -1;
}

static int is_bus(int file) {
    struct sockaddr_un bus, peer = {0};
    socklen_t length = sizeof peer;
    int before = errno;
    int is = bus_address(&bus) && getpeername(file, (struct sockaddr *)&peer, &length) == 0 &&
             peer.sun_family == AF_UNIX && !strcmp(peer.sun_path, bus.sun_path);
    errno = before;
    return is;
}

/* Sends or receives all; what has no other end any more is a bus that was unplugged. */
static int whole(int file, void *bytes, size_t length, int sends) {
    for (size_t done = 0; done < length;) {
        void *from = (char *)bytes + done;
        ssize_t now = sends ? send(file, from, length - done, MSG_NOSIGNAL) : recv(file, from, length - done, 0);
        if (now > 0) done += (size_t)now;
        else if (now == 0 || errno != EINTR) return errno = ENODEV, -1;
    }
    return 0;
}

static int ask(int file, struct i2c_rdwr_ioctl_data *transfer) {
    uint16_t count = (uint16_t)transfer->nmsgs;
    if (whole(file, &count, sizeof count, 1)) return -1;
    for (unsigned at = 0; at < transfer->nmsgs; at++) {
        struct i2c_msg *message = &transfer->msgs[at];
        uint16_t head[3] = {message->addr, message->flags, message->len};
        if (whole(file, head, sizeof head, 1)) return -1;
        if (!(message->flags & I2C_M_RD) && whole(file, message->buf, message->len, 1)) return -1;
    }
    return 0;
}

static int answer(int file, struct i2c_rdwr_ioctl_data *transfer) {
    int32_t done;
    if (whole(file, &done, sizeof done, 0)) return -1;
    if (done < 0) return errno = -done, -1;
    for (unsigned at = 0; at < transfer->nmsgs && (unsigned)done == transfer->nmsgs; at++) {
        struct i2c_msg *message = &transfer->msgs[at];
        if ((message->flags & I2C_M_RD) && whole(file, message->buf, message->len, 0)) return -1;
    }
    return done;
}

static int bus_ioctl(int file, unsigned long request, void *argument) {
    if (request == I2C_FUNCS) return *(unsigned long *)argument = I2C_FUNC_I2C, 0;
    if (request == I2C_TIMEOUT || request == I2C_RETRIES) return 0;
    if (request != I2C_RDWR) return errno = ENOTTY, -1;
    pthread_mutex_lock(&adapter);
    int done = ask(file, argument) ? -1 : answer(file, argument);
    pthread_mutex_unlock(&adapter);
    return done;
}

int ioctl(int file, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    if (request >> 8 == 0x07 && is_bus(file)) return bus_ioctl(file, request, argument);
    int (*next)(int, unsigned long, void *) = (int (*)(int, unsigned long, void *))dlsym(RTLD_NEXT, "ioctl");
    return next(file, request, argument);
}

/* The mode is read only when the flags say that there is one. */
#define MODE(flags, mode)                                    \
    mode_t mode = 0;                                         \
    if ((flags) & (O_CREAT | __O_TMPFILE)) {                 \
        va_list rest;                                        \
        va_start(rest, flags);                               \
        mode = va_arg(rest, mode_t);                         \
        va_end(rest);                                        \
    }

#define OPEN(name)                                                                                      \
    int name(const char *path, int flags, ...) {                                                        \
        MODE(flags, mode)                                                                               \
        if (is_device(path)) return connect_to_bus();                                                   \
        int (*next)(const char *, int, mode_t) = (int (*)(const char *, int, mode_t))dlsym(RTLD_NEXT, #name); \
        return next(path, flags, mode);                                                                 \
    }

#define OPENAT(name)                                                                                          \
    int name(int folder, const char *path, int flags, ...) {                                                  \
        MODE(flags, mode)                                                                                     \
        if (is_device(path)) return connect_to_bus();                                                         \
        int (*next)(int, const char *, int, mode_t) = (int (*)(int, const char *, int, mode_t))dlsym(RTLD_NEXT, #name); \
        return next(folder, path, flags, mode);                                                               \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
