package work

import (
	"fmt"
	"log/slog"
	"os"
)

// asynqLog passes asynq's lines on. Its errors are ours to warn of: nothing is lost while Redis is away.
type asynqLog struct{ log *slog.Logger }

func (l asynqLog) Debug(args ...any) { l.log.Debug(line(args)) }
func (l asynqLog) Info(args ...any)  { l.log.Debug(line(args)) }
func (l asynqLog) Warn(args ...any)  { l.log.Warn(line(args)) }
func (l asynqLog) Error(args ...any) { l.log.Warn(line(args)) }

// Fatal ends the process: asynq says it of broken invariants only.
func (l asynqLog) Fatal(args ...any) { l.log.Error(line(args)); os.Exit(1) }

func line(args []any) string { return "asynq: " + fmt.Sprint(args...) }
