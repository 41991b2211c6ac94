package process

import (
	"context"
	"os"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/confine"
)

// fixes say what to do about a layer that is missing.
var fixes = map[string]string{
	ownUser:          "run the server as root (it never runs anything of an agent as root)",
	confine.CgMemory: cgroupHint, confine.CgPids: cgroupHint, confine.CgCPU: cgroupHint,
	confine.Landlock: "use Linux 5.13 or later with lsm=landlock",
	confine.Seccomp:  "use a kernel with CONFIG_SECCOMP_FILTER on amd64 or arm64",
}

// Probe starts a throw-away sandbox and tells what this host offers; details of missing layers say how to
// get them. It takes what starting a sandbox takes.
func Probe(ctx context.Context, cfg Config) []sandbox.Layer {
	fail := func(err error) []sandbox.Layer {
		return []sandbox.Layer{{Name: "process driver", Detail: err.Error()}}
	}
	dir, err := os.MkdirTemp(cfg.Dir, "probe")
	if err != nil {
		return fail(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	cfg.Dir = dir
	d, err := New(cfg)
	if err != nil {
		return fail(err)
	}
	defer func() { _ = d.Close() }()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	s := sandbox.Spec{ID: "probe", Limits: sandbox.Limits{MemoryMB: 128, StorageMB: 16, Processes: 32, CPUs: 1}}
	if err := d.Ensure(ctx, s); err != nil {
		return fail(err)
	}
	defer func() { _ = d.Destroy(context.WithoutCancel(ctx), s.ID) }()
	if err := d.Start(ctx, s.ID); err != nil {
		return fail(err)
	}
	o, err := d.Observe(ctx, s.ID)
	if err != nil {
		return fail(err)
	}
	for i := range o.Isolation {
		l := &o.Isolation[i]
		if fix := fixes[l.Name]; !l.Applied && fix != "" && l.Detail != switchedOff {
			l.Detail += ": " + fix
		}
	}
	return o.Isolation
}
