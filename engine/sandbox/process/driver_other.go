//go:build !linux

package process

import (
	"context"
	"io"
	"os"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// Driver needs Linux; elsewhere it only says so.
type Driver struct{}

var errUnsupported = fault.New(fault.Unavailable, "sandbox.unsupported", "The process driver needs Linux: use the docker driver")

// New fails on this system.
func New(Config) (*Driver, error) { return nil, errUnsupported }

// Probe tells that this system offers nothing.
func Probe(context.Context, Config) []sandbox.Layer {
	return []sandbox.Layer{{Name: "process driver", Detail: errUnsupported.Detail}}
}

// Ensure implements sandbox.Driver.
func (d *Driver) Ensure(context.Context, sandbox.Spec) error { return errUnsupported }

// Start implements sandbox.Driver.
func (d *Driver) Start(context.Context, string) error { return errUnsupported }

// Stop implements sandbox.Driver.
func (d *Driver) Stop(context.Context, string) error { return errUnsupported }

// Destroy implements sandbox.Driver.
func (d *Driver) Destroy(context.Context, string) error { return errUnsupported }

// Observe implements sandbox.Driver.
func (d *Driver) Observe(context.Context, string) (sandbox.Observed, error) {
	return sandbox.Observed{}, errUnsupported
}

// Hands implements sandbox.Driver.
func (d *Driver) Hands(context.Context, string) (sandbox.Hands, error) { return nil, errUnsupported }

// Walk implements sandbox.Driver.
func (d *Driver) Walk(context.Context, string, func(sandbox.Entry, io.Reader) error) error {
	return errUnsupported
}

// View implements sandbox.Driver.
func (d *Driver) View(context.Context, string) (sandbox.View, error) { return nil, errUnsupported }

// Keep implements sandbox.Driver.
func (d *Driver) Keep(context.Context, string) (*os.Root, error) { return nil, errUnsupported }

// List implements sandbox.Driver.
func (d *Driver) List(context.Context) ([]string, error) { return nil, errUnsupported }

// Close implements sandbox.Driver.
func (d *Driver) Close() error { return nil }
