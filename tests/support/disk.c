/* A disk that fails on request, for one program: preloaded, it asks the file that DISK_FAULT names before each write or sync
   of the ledger. Its words: what fails (write, sync, both), how (an errno, or -9 for a kill), from the how-manyth call on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static int calls;

/* 1: this call fails, and errno says how. */
static int fails(const char *call, int fd) {
    char link[64], path[512], what[16], text[64];
    const char *order = getenv("DISK_FAULT");
    ssize_t length;
    int how, nth, file;
    if (!order) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    if (!strstr(path, ".db")) return 0;
    file = open(order, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = 0;
    if (sscanf(text, "%15s %d %d", what, &how, &nth) != 3) return 0;
    if (strcmp(what, call) && strcmp(what, "both")) return 0;
    if (__sync_add_and_fetch(&calls, 1) < nth) return 0;
    if (how < 0) kill(getpid(), -how);
    errno = how;
    return 1;
}

#define NEXT(name) ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t n) { return fails("write", fd) ? -1 : NEXT(write)(fd, bytes, n); }
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) { return fails("write", fd) ? -1 : NEXT(pwrite)(fd, bytes, n, at); }
ssize_t pwrite64(int fd, const void *bytes, size_t n, off64_t at) { return fails("write", fd) ? -1 : NEXT(pwrite64)(fd, bytes, n, at); }
int fsync(int fd) { return fails("sync", fd) ? -1 : NEXT(fsync)(fd); }
int fdatasync(int fd) { return fails("sync", fd) ? -1 : NEXT(fdatasync)(fd); }
