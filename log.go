package main

import (
	"log/slog"
	"os"

	"golang.org/x/sys/unix"

	"lobstead/kit/config"
	"lobstead/kit/secret"
)

func newLog(cfg *config.Config, s *secret.Scrubber) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.LogLevel)) // config allows only levels
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(os.Stderr, o)
	if cfg.LogFormat == "json" {
		h = slog.NewJSONHandler(os.Stderr, o)
	}
	log := slog.New(secret.NewLogHandler(h, s))
	slog.SetDefault(log)
	return log
}

// raiseFiles lifts the soft limit of open files to the hard one: an event stream is a file.
func raiseFiles() {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) == nil && l.Cur < l.Max {
		l.Cur = l.Max
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &l)
	}
}
