/* Stands between a process and the disk (LD_PRELOAD) for the files whose path begins with SHIM_PREFIX.
 *
 * SHIM_TRACE   write down, in order, what reaches the disk and what is said on stdout; syncs are then not made
 * SHIM_FAIL    the number of the sync that fails with EIO, counted from 1; nothing of that sync reaches the disk
 * SHIM_FAILS   how the paths end whose syncs are counted; left out: all
 * SHIM_ROOM    bytes that all files under the prefix may have together; beyond, ENOSPC
 *
 * A record of the trace: kind, length of the path, path, offset, length of the data, data. Kinds: W write, T truncate,
 * S sync, F failed sync, U unlink, A said on stdout. The shared memory beside a database is left out: a power cut empties
 * it, and SQLite builds it anew.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
static long n_syncs = 0;
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static int (*real_truncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void start(void) {
  real_write = dlsym(RTLD_NEXT, "write");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_truncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  if (getenv("SHIM_TRACE")) trace = open(getenv("SHIM_TRACE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int ends_with(const char *path, const char *end) {
  size_t n = strlen(path), m = strlen(end);
  return n >= m && strcmp(path + n - m, end) == 0;
}

static int is_ours(const char *path) {
  const char *prefix = getenv("SHIM_PREFIX");
  return prefix && strncmp(path, prefix, strlen(prefix)) == 0 && !ends_with(path, "-shm") && !ends_with(path, ".lock");
}

static int path_of(int fd, char *path) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, path, PATH_MAX - 1);
  if (n < 0) return 0;
  path[n] = 0;
  return is_ours(path);
}

static void record(char kind, const char *path, int64_t offset, const void *data, uint32_t n) {
  if (trace < 0) return;
  uint16_t length = (uint16_t)strlen(path);
  struct iovec parts[] = {{&kind, 1}, {&length, 2}, {(void *)path, length}, {&offset, 8}, {&n, 4}, {(void *)data, n}};
  if (writev(trace, parts, 6) < 0) abort();
}

static long long bytes_in_use(void) {
  char folder[PATH_MAX], path[2 * PATH_MAX];
  long long sum = 0;
  struct stat status;
  struct dirent *entry;
  strncpy(folder, getenv("SHIM_PREFIX"), sizeof folder - 1);
  folder[sizeof folder - 1] = 0;
  DIR *open_folder = opendir(folder);
  if (!open_folder) return 0;
  while ((entry = readdir(open_folder))) {
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    if (stat(path, &status) == 0 && S_ISREG(status.st_mode)) sum += status.st_size;
  }
  closedir(open_folder);
  return sum;
}

static int is_full(int fd, off64_t end) {
  struct stat status;
  if (!getenv("SHIM_ROOM") || fstat(fd, &status) != 0 || end <= status.st_size) return 0;
  return bytes_in_use() + (end - status.st_size) > atoll(getenv("SHIM_ROOM"));
}

static ssize_t write_at(int fd, const void *data, size_t n, off64_t offset) {
  char path[PATH_MAX];
  if (!path_of(fd, path)) return real_pwrite(fd, data, n, offset);
  if (is_full(fd, offset + (off64_t)n)) {
    errno = ENOSPC;
    return -1;
  }
  pthread_mutex_lock(&mutex);
  ssize_t written = real_pwrite(fd, data, n, offset);
  if (written > 0) record('W', path, offset, data, (uint32_t)written);
  pthread_mutex_unlock(&mutex);
  return written;
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t offset) { return write_at(fd, data, n, offset); }
ssize_t pwrite64(int fd, const void *data, size_t n, off64_t offset) { return write_at(fd, data, n, offset); }

ssize_t write(int fd, const void *data, size_t n) {
  if (fd != 1) return real_write(fd, data, n);
  pthread_mutex_lock(&mutex);
  record('A', "", 0, data, (uint32_t)n);
  pthread_mutex_unlock(&mutex);
  return real_write(fd, data, n);
}

static int truncate_at(int fd, off64_t size) {
  char path[PATH_MAX];
  if (!path_of(fd, path)) return real_truncate(fd, size);
  pthread_mutex_lock(&mutex);
  int result = real_truncate(fd, size);
  if (result == 0) record('T', path, size, "", 0);
  pthread_mutex_unlock(&mutex);
  return result;
}

int ftruncate(int fd, off_t size) { return truncate_at(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncate_at(fd, size); }

static int sync_file(int fd, int (*real_sync)(int)) {
  char path[PATH_MAX];
  if (!path_of(fd, path)) return real_sync(fd);
  int counts = getenv("SHIM_FAIL") && (!getenv("SHIM_FAILS") || ends_with(path, getenv("SHIM_FAILS")));
  int fails = counts && __sync_add_and_fetch(&n_syncs, 1) == atol(getenv("SHIM_FAIL"));
  int result = fails || trace >= 0 ? 0 : real_sync(fd);
  if (trace >= 0) usleep(300); /* long enough for a group to gather */
  pthread_mutex_lock(&mutex);
  record(fails ? 'F' : 'S', path, 0, "", 0);
  pthread_mutex_unlock(&mutex);
  if (!fails) return result;
  errno = EIO;
  return -1;
}

int fsync(int fd) { return sync_file(fd, real_fsync); }
int fdatasync(int fd) { return sync_file(fd, real_fdatasync); }

int unlink(const char *path) {
  pthread_mutex_lock(&mutex);
  int result = real_unlink(path);
  if (result == 0 && is_ours(path)) record('U', path, 0, "", 0);
  pthread_mutex_unlock(&mutex);
  return result;
}
