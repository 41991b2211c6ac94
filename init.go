package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"

	"lobstead/kit/config"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// initialized is what `lobstead init --json` prints.
type initialized struct {
	UserID         string `json:"user_id"`
	OrganizationID string `json:"organization_id"`
	APIKey         string `json:"api_key"`
}

// initialize makes the first owner without a browser, with a key for programs. Without a password file it
// prints a setup link instead.
func initialize(ctx context.Context, cli *config.CLI) error {
	n, err := newNode(ctx, &cli.Config)
	if err != nil {
		return err
	}
	defer n.close()
	in := cli.Init
	if in.PasswordFile == "" {
		token, err := n.store.AsSystem("init").NewSetupLink(ctx)
		if err == nil {
			fmt.Printf("%s/setup?token=%s\n", n.publicURL(), url.QueryEscape(token.Reveal()))
		}
		return err
	}
	password, err := readPassword(in.PasswordFile)
	if err != nil {
		return err
	}
	founded, err := n.store.AsSystem("init").FoundOnHost(ctx, models.Founding{Email: in.Email, Name: orElse(in.Name, in.Email),
		Organization: orElse(in.Organization, "My team"), Password: password})
	if err != nil {
		return err
	}
	owner := n.store.In(founded.Organization.ID).As(models.Actor{UserID: founded.User.ID, Name: founded.User.Name, Role: models.Owner})
	_, key, err := owner.CreateAPIKey(ctx, models.NewAPIKey{Name: "init"})
	if err != nil {
		return err
	}
	out := initialized{founded.User.ID, founded.Organization.ID, key.Reveal()}
	if in.JSON {
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	fmt.Printf("Owner %s of %s\nAPI key (shown once): %s\n", founded.User.Email, founded.Organization.Name, out.APIKey)
	return nil
}

func readPassword(file string) (secret.String, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(io.LimitReader(os.Stdin, 4096))
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return secret.String{}, fault.Wrap(err, fault.Invalid, "init.password", "The password file cannot be read")
	}
	return secret.Of(string(bytes.TrimRight(text, "\r\n"))), nil
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
