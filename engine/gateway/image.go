package gateway

import (
	"context"
	"net/http"
	"time"

	"lobstead/engine/llm"
	"lobstead/kit/dial"
	"lobstead/kit/fault"
)

const (
	imageBytes = 10 << 20
	imageWait  = 20 * time.Second
)

// Image gets a picture that lies elsewhere, through the guarded client. Whatever is wrong with it is Invalid, and does
// not tell what an address inside the network answered.
func (g *Gateway) Image(ctx context.Context, url string) (*llm.Image, error) {
	if g.Images == nil {
		return nil, fault.New(fault.Invalid, "image.remote", "Pictures must be sent with the request")
	}
	ctx, cancel := context.WithTimeout(ctx, imageWait)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil || req.URL.Host == "" || req.URL.Scheme != "https" && req.URL.Scheme != "http" {
		return nil, fault.New(fault.Invalid, "image.remote", "The address of a picture must begin with https://")
	}
	res, err := g.Images.Do(req)
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "image.remote", "A picture cannot be fetched from its address")
	}
	defer func() { _ = res.Body.Close() }()
	data, err := dial.ReadAll(res.Body, imageBytes)
	if err != nil || res.StatusCode != http.StatusOK {
		return nil, fault.Wrap(err, fault.Invalid, "image.remote", "A picture cannot be fetched from its address")
	}
	switch kind := http.DetectContentType(data); kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return &llm.Image{MediaType: kind, Data: data}, nil
	}
	return nil, fault.New(fault.Invalid, "image.remote", "What lies at a picture's address is no PNG, JPEG, GIF or WebP")
}
