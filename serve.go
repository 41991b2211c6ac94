package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"lobstead/app"
	"lobstead/kit/config"
	"lobstead/kit/fault"
)

// roles says which sides this process runs.
type roles struct{ web, worker bool }

// drainLimit is how long a stop may take: turns checkpoint, streams close, requests are answered.
const drainLimit = 9 * time.Second

// serve runs until ctx ends, then drains: first no new requests and turns, then the parts below them.
func serve(ctx context.Context, cfg *config.Config, r roles) error {
	n, err := newNode(ctx, cfg)
	if err != nil {
		return err
	}
	defer n.close()
	if err := n.openQueue(ctx); err != nil {
		return err
	}
	// The web side starts no sandbox, but reads the files of those of its host.
	if err := n.openDriver(); err != nil {
		if r.worker {
			return err
		}
		n.log.WarnContext(ctx, "this host has no sandboxes: archives are without their files", "error", err)
	}
	group, ctx := errgroup.WithContext(ctx)
	if err := n.serveMetrics(ctx, group); err != nil {
		return err
	}
	if r.web {
		if err := n.serveWeb(ctx, group); err != nil {
			return err
		}
	}
	if r.worker {
		runner, server := n.worker()
		group.Go(func() error { return ended(runner.Run(ctx)) })
		group.Go(func() error { return ended(server.Run(ctx)) })
	}
	err = group.Wait()
	n.log.Info("stopped")
	return err
}

func ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (n *node) serveWeb(ctx context.Context, group *errgroup.Group) error {
	l, err := net.Listen("tcp", n.cfg.Listen)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "listen", "Cannot listen on %s", n.cfg.Listen).Hinting("Choose another address with --listen")
	}
	if _, port, err := net.SplitHostPort(n.cfg.Listen); err == nil && port == "0" {
		n.cfg.Listen = l.Addr().String()
	}
	web := n.web()
	app.Register(web)
	group.Go(func() error { return web.Fiber().Listener(l) })
	group.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainLimit)
		defer cancel()
		return web.Shutdown(stop)
	})
	return n.greet(ctx)
}

// greet prints the one line that a person needs: where to go and, while nobody owns the installation, the
// link that lets the first owner in.
func (n *node) greet(ctx context.Context) error {
	system := n.store.AsSystem("greeting")
	has, err := system.HasOwner(ctx)
	if err != nil {
		return err
	}
	if has {
		fmt.Printf("Lobstead %s is ready: %s\n", version, n.publicURL())
		return nil
	}
	token, err := system.NewSetupLink(ctx)
	if fault.Is(err, fault.Conflict) { // somebody was quicker
		fmt.Printf("Lobstead %s is ready: %s\n", version, n.publicURL())
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Printf("Lobstead %s is ready. Open this link to begin (works once, for an hour): %s/setup?token=%s\n",
		version, n.publicURL(), url.QueryEscape(token.Reveal()))
	return nil
}

// serveMetrics answers Prometheus on a listener of its own: figures of all organizations are not for users.
func (n *node) serveMetrics(ctx context.Context, group *errgroup.Group) error {
	if n.cfg.Metrics == "" {
		return nil
	}
	l, err := net.Listen("tcp", n.cfg.Metrics)
	if err != nil {
		// A second instance on one machine is no reason not to start; who scrapes sets the address.
		n.log.Warn("no metrics: the address is taken", "address", n.cfg.Metrics, "error", err)
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.Handler())
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	group.Go(func() error {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	group.Go(func() error {
		<-ctx.Done()
		return server.Close()
	})
	return nil
}

func migrate(ctx context.Context, cfg *config.Config) error {
	n, err := newNode(ctx, cfg)
	if err != nil {
		return err
	}
	defer n.close()
	fmt.Println("The database is up to date")
	return nil
}

func printRoutes(w io.Writer) error {
	for _, r := range app.New(app.Deps{}).Routes() {
		if _, err := fmt.Fprintf(w, "%s\t%s\t%s\n", r.Method, r.Path, r.Access); err != nil {
			return err
		}
	}
	return nil
}
