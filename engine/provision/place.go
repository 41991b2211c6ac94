package provision

import (
	"context"
	"fmt"
)

// placeFiles puts the files that an instance begins with into its workspace. Each is forgotten once it is there, so that what is changed
// later stays as it is.
func (h *hold) placeFiles(ctx context.Context, rec *recorder) error {
	files, err := h.scope.InstanceFiles(ctx, h.row.ID)
	if err != nil || len(files) == 0 {
		return err
	}
	return rec.step(ctx, "Files", func(ctx context.Context) (string, error) {
		hands, err := h.Driver.Hands(ctx, h.row.ID)
		if err != nil {
			return "", err
		}
		defer func() { _ = hands.Close() }()
		for _, f := range files {
			if err := hands.WriteFile(ctx, f.Path, f.Data, 0o644); err != nil {
				return "", err
			}
			if err := h.scope.PlacedInstanceFile(ctx, f.ID); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%d placed", len(files)), nil
	})
}
