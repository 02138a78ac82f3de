//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package access

import (
	"errors"
	"os"
	"syscall"
)

// lock waits until no other process has locked the folder. Where that cannot be
// done, as on some network drives, the store is for one process.
func lock(dir *os.File) {
	for errors.Is(syscall.Flock(int(dir.Fd()), syscall.LOCK_EX), syscall.EINTR) {
	}
}
