/*
 * What Rust's standard library and GCC's unwinder use and either glibc 2.17 or musl does not export, in terms of what both do. Linked into
 * the library, hidden: nobody else sees these.
 *
 * Before 2.33 glibc has fstat and stat in its headers only, so that they cannot be linked to. Both processors' kernels write what 64-bit
 * glibc and musl call struct stat.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Under names of their own here, as headers may declare the others with types of theirs. */
#define NAMED(symbol) __asm__(#symbol)

_Static_assert(sizeof(off_t) == 8 && sizeof(void *) == 8, "a file's offset has 64 bits by itself only on a 64-bit system");

int floor_fstat(int, void *) NAMED(fstat64);
int floor_fstat(int fd, void *result) { return (int)syscall(SYS_fstat, fd, result); }

int floor_fstatat(int, const char *, void *, int) NAMED(fstatat64);
int floor_fstatat(int directory, const char *path, void *result, int flags) {
    return (int)syscall(SYS_newfstatat, directory, path, result, flags);
}

int floor_stat(const char *, void *) NAMED(stat64);
int floor_stat(const char *path, void *result) { return floor_fstatat(AT_FDCWD, path, result, 0); }

int floor_lstat(const char *, void *) NAMED(lstat64);
int floor_lstat(const char *path, void *result) { return floor_fstatat(AT_FDCWD, path, result, AT_SYMLINK_NOFOLLOW); }

int floor_open(const char *, int, ...) NAMED(open64);
int floor_open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    /* Not given unless a file is made; then it is ignored. */
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open(path, flags, mode);
}

int64_t floor_lseek(int, int64_t, int) NAMED(lseek64);
int64_t floor_lseek(int fd, int64_t offset, int whence) { return lseek(fd, offset, whence); }

void *floor_mmap(void *, size_t, int, int, int, int64_t) NAMED(mmap64);
void *floor_mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset) {
    return mmap(address, length, protection, flags, fd, offset);
}

/*
 * glibc has pthread_atfork in a static library, for the sake of the handle that the handlers go with when a library is unloaded. What it
 * exports under that name, and on x86-64 only, is for old programs: there a handler stays when its code is gone. musl unloads nothing.
 */
typedef void fork_handler(void);
extern void *__dso_handle __attribute__((visibility("hidden")));
int __register_atfork(fork_handler *, fork_handler *, fork_handler *, void *) __attribute__((weak));

int floor_atfork(fork_handler *, fork_handler *, fork_handler *) NAMED(pthread_atfork);
int floor_atfork(fork_handler *before, fork_handler *parent, fork_handler *child) {
    if (__register_atfork) return __register_atfork(before, parent, child, __dso_handle);
    /* A function and an object are of one kind to dlsym. */
    int (*at_fork)(fork_handler *, fork_handler *, fork_handler *);
    *(void **)&at_fork = dlsym(RTLD_DEFAULT, "pthread_atfork");
    return at_fork ? at_fork(before, parent, child) : ENOSYS;
}

/*
 * How GCC's unwinder finds the table of an address's object where its own libc is 2.35 or later: not in ours. As struct dl_find_object of
 * <dlfcn.h> there. Only what the unwinder reads is written.
 */
struct found_object {
    unsigned long long flags;
    void *map_start;
    void *map_end;
    void *link_map;
    void *eh_frame;
};

struct wanted {
    uintptr_t address;
    struct found_object *found;
};

static int look(struct dl_phdr_info *object, size_t size, void *context) {
    struct wanted *wanted = context;
    const ElfW(Phdr) *table = NULL, *code = NULL;
    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &object->dlpi_phdr[i];
        if (part->p_type == PT_GNU_EH_FRAME) table = part;
        if (part->p_type == PT_LOAD && wanted->address - (object->dlpi_addr + part->p_vaddr) < part->p_memsz) code = part;
    }
    if (code == NULL) return 0;
    if (table == NULL) return -1;
    wanted->found->map_start = (void *)(object->dlpi_addr + code->p_vaddr);
    wanted->found->map_end = (void *)(object->dlpi_addr + code->p_vaddr + code->p_memsz);
    wanted->found->eh_frame = (void *)(object->dlpi_addr + table->p_vaddr);
    return 1;
}

int floor_find_object(void *, struct found_object *) NAMED(_dl_find_object);
int floor_find_object(void *address, struct found_object *result) {
    struct wanted wanted = {(uintptr_t)address, result};
    return dl_iterate_phdr(look, &wanted) == 1 ? 0 : -1;
}
