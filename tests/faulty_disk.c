/* Lets the n-th write, fsync or rename on one file system fail, in every process that is started with it (LD_PRELOAD).
 *
 * PENSTOCK_FAULTS names a file that all of them share: six longs and a text. They are the file system's device, which
 * calls count (1 write, 2 fsync, 4 rename), which one of those fails (-1: all), its errno, how many there were, which
 * kind the failed one was, and the name of its file.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, FSYNC = 2, RENAME = 4 };

struct faults {
    long device, kinds, at, error, count, failed;
    char name[464];
};

static struct faults *faults;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("PENSTOCK_FAULTS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    void *shared = mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (shared != MAP_FAILED)
        faults = shared;
}

static int fails(int kind, const struct stat *of, const char *name) {
    if (!(faults->kinds & kind) || (long)of->st_dev != faults->device)
        return 0;
    long count = __atomic_add_fetch(&faults->count, 1, __ATOMIC_SEQ_CST);
    if (faults->at >= 0 && count != faults->at)
        return 0;
    strncpy(faults->name, name, sizeof faults->name - 1);
    faults->failed = kind;
    errno = (int)faults->error;
    return 1;
}

static int file_fails(int kind, int file) {
    struct stat of;
    int before = errno;
    if (!faults || fstat(file, &of) || !(S_ISREG(of.st_mode) || S_ISDIR(of.st_mode))) {
        errno = before;
        return 0;
    }
    char link[32], name[464] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    (void)!readlink(link, name, sizeof name - 1);
    errno = before;
    return fails(kind, &of, name);
}

static int path_fails(int kind, int folder, const char *path) {
    struct stat of;
    int before = errno;
    if (!faults || fstatat(folder, path, &of, AT_SYMLINK_NOFOLLOW)) {
        errno = before;
        return 0;
    }
    return fails(kind, &of, path);
}

#define COUNTED(type, name, parameters, arguments, failing)                                                            \
    type name parameters {                                                                                             \
        static type(*real) parameters;                                                                                 \
        if (!real)                                                                                                     \
            real = (type(*) parameters)dlsym(RTLD_NEXT, #name);                                                        \
        return failing ? (type)-1 : real arguments;                                                                    \
    }

COUNTED(ssize_t, write, (int file, const void *data, size_t size), (file, data, size), file_fails(WRITE, file))
COUNTED(ssize_t, pwrite, (int file, const void *data, size_t size, off_t at), (file, data, size, at),
        file_fails(WRITE, file))
COUNTED(ssize_t, pwrite64, (int file, const void *data, size_t size, off64_t at), (file, data, size, at),
        file_fails(WRITE, file))
COUNTED(ssize_t, writev, (int file, const struct iovec *data, int count), (file, data, count), file_fails(WRITE, file))
COUNTED(ssize_t, pwritev, (int file, const struct iovec *data, int count, off_t at), (file, data, count, at),
        file_fails(WRITE, file))
COUNTED(ssize_t, pwritev64, (int file, const struct iovec *data, int count, off64_t at), (file, data, count, at),
        file_fails(WRITE, file))
COUNTED(int, fsync, (int file), (file), file_fails(FSYNC, file))
COUNTED(int, fdatasync, (int file), (file), file_fails(FSYNC, file))
COUNTED(int, rename, (const char *old, const char *new), (old, new), path_fails(RENAME, AT_FDCWD, old))
COUNTED(int, renameat, (int from, const char *old, int to, const char *new), (from, old, to, new),
        path_fails(RENAME, from, old))
COUNTED(int, renameat2, (int from, const char *old, int to, const char *new, unsigned flags),
        (from, old, to, new, flags), path_fails(RENAME, from, old))
