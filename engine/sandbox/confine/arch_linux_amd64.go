package confine

import "golang.org/x/sys/unix"

func thisArch() arch {
	return arch{audit: unix.AUDIT_ARCH_X86_64, x32: true, deny: []uintptr{unix.SYS_IOPL, unix.SYS_IOPERM, unix.SYS_USELIB,
		unix.SYS_USTAT, unix.SYS_SYSFS, unix.SYS__SYSCTL, unix.SYS_CREATE_MODULE, unix.SYS_MODIFY_LDT, unix.SYS_NFSSERVCTL}}
}
