/* LLVM, which compiles the Rust side, calls these three by names that GCC's ThreadSanitizer does not have. The plain ones
   are intercepted by it, so nothing goes unseen. Compiled without the sanitizer. */
#include <string.h>

void *__tsan_memcpy(void *to, const void *from, size_t length) { return memcpy(to, from, length); }
void *__tsan_memmove(void *to, const void *from, size_t length) { return memmove(to, from, length); }
void *__tsan_memset(void *to, int byte, size_t length) { return memset(to, byte, length); }
