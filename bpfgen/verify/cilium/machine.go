package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// What tools mount at start, and what loading looks into.
var mounts = []struct{ kind, path string }{
	{"proc", "/proc"},
	{"sysfs", "/sys"},
	{"devtmpfs", "/dev"},
	{"bpf", "/sys/fs/bpf"},
	{"tracefs", "/sys/kernel/tracing"},
	{"debugfs", "/sys/kernel/debug"},
	{"cgroup2", "/sys/fs/cgroup"},
}

// machine is the whole life of a virtual machine.
//
// The library looks at what is mounted before main starts: so the work is done by a second run of this program, in the
// same process. The kernel's command line can give the first run arguments; the second one is known by its variable.
func machine() {
	if os.Getenv(mounted) == "" {
		for _, each := range mounts {
			_ = os.MkdirAll(each.path, 0o755) // where there is none, mounting says so
			if err := unix.Mount(each.kind, each.path, each.kind, 0, ""); err != nil {
				complain(fmt.Errorf("mounting %s: %w", each.path, err))
			}
		}
		complain(unix.Exec("/init", []string{"/init"}, []string{mounted + "=1"}))
	}
	if err := work("/", os.Stderr); err != nil {
		complain(err)
	}
	unix.Sync()
	complain(unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART))
}

const mounted = "BPFGEN_MOUNTED"

// complain writes to the kernel's log, which is the machine's console.
func complain(err error) {
	if log, failed := os.OpenFile("/dev/kmsg", os.O_WRONLY, 0); failed == nil {
		fmt.Fprintf(log, "<0>bpfgen: %v\n", err)
		log.Close()
	}
}

// raw keeps a serial port from changing bytes, and from echoing them; other files have nothing to change.
func raw(port *os.File) error {
	settings, err := unix.IoctlGetTermios(int(port.Fd()), unix.TCGETS)
	if err == unix.ENOTTY {
		return nil
	}
	if err != nil {
		return err
	}
	settings.Oflag &^= unix.OPOST
	settings.Lflag &^= unix.ECHO | unix.ICANON | unix.ISIG
	return unix.IoctlSetTermios(int(port.Fd()), unix.TCSETS, settings)
}

// insert loads a kernel module; one that is there already is as good.
func insert(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := unix.FinitModule(int(file.Fd()), "", 0); err != nil && err != unix.EEXIST {
		return err
	}
	return nil
}

func release() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}
