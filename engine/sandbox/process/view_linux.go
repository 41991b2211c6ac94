package process

import (
	"context"
	"os"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/tree"
	"lobstead/kit/fault"
)

// View implements sandbox.Driver: it reads from the host, below a root that no link leads out of.
func (d *Driver) View(_ context.Context, id string) (sandbox.View, error) {
	b, err := d.known(id)
	if err != nil {
		return nil, err
	}
	v, err := tree.OpenView(b.workspace())
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "sandbox.store", "The workspace cannot be read")
	}
	return v, nil
}

// Keep implements sandbox.Driver. The directory is beside the workspace, and no mount shows it inside.
func (d *Driver) Keep(_ context.Context, id string) (*os.Root, error) {
	b, err := d.known(id)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(b.path("keep"), 0o700); err != nil && !os.IsExist(err) {
		return nil, storeFault(err)
	}
	root, err := os.OpenRoot(b.path("keep"))
	return root, storeFault(err)
}

// known is the box of a sandbox that there is.
func (d *Driver) known(id string) (*box, error) {
	b, err := d.box(id)
	if err == nil {
		_, err = b.spec()
	}
	return b, err
}
