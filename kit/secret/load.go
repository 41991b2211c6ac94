package secret

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// KeyFile is the name of the key file in the data directory: one key a line, newest first.
const KeyFile = "secret.key"

// LoadOrCreate gives the box and the signer of this installation.
//
// The keys come from fromEnv (SECRET_KEY: one key, or several with commas, newest first) followed by
// those of <dir>/secret.key; without either a key is made and written there, 0600. The file still
// opens old values after a move to SECRET_KEY. A file that others may read is refused.
func LoadOrCreate(dir string, fromEnv String) (*Box, Signer, error) {
	path := filepath.Join(dir, KeyFile)
	keys, err := parseKeys("SECRET_KEY", strings.Split(fromEnv.Reveal(), ","))
	if err != nil {
		return nil, Signer{}, err
	}
	stored, err := readKeys(path)
	if errors.Is(err, fs.ErrNotExist) && len(keys) == 0 {
		if err = create(dir, path); err == nil {
			stored, err = readKeys(path)
		}
	}
	if err != nil && (len(keys) == 0 || !errors.Is(err, fs.ErrNotExist)) {
		return nil, Signer{}, err
	}
	keys = append(keys, stored...)
	return NewBox(keys...), Signer{keys: keys}, nil
}

func readKeys(path string) ([]Key, error) {
	st, err := os.Lstat(path)
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	if !st.Mode().IsRegular() {
		return nil, fmt.Errorf("secret: %s is not a regular file", path)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("secret: others may read %s (mode %#o): run chmod 600 on it, and replace the key if the machine is shared", path, st.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("secret: %w", err)
	}
	keys, err := parseKeys(path, strings.Split(string(b), "\n"))
	if err == nil && len(keys) == 0 {
		// Never overwritten: an empty file is a half-copied backup sooner than a wish for a new key.
		err = fmt.Errorf("secret: %s holds no key: restore it, or remove it to start with a new key", path)
	}
	return keys, err
}

func parseKeys(from string, texts []string) ([]Key, error) {
	var keys []Key
	for _, t := range texts {
		if t = strings.TrimSpace(t); t == "" {
			continue
		}
		raw, err := Check(t)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
		k, err := NewKey(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", from, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// create writes a fresh key beside its place and links it there: a crash leaves no half key, and of
// two processes that start at once the second takes the first one's.
func create(dir, path string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("secret: %w", err)
	}
	raw := make([]byte, KeySize)
	_, _ = rand.Read(raw)
	tmp, err := os.CreateTemp(dir, "."+KeyFile+"-*") // 0600 by contract of CreateTemp
	if err != nil {
		return fmt.Errorf("secret: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.WriteString(base64.StdEncoding.EncodeToString(raw) + "\n")
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("secret: write key: %w", err)
	}
	if err := os.Link(tmp.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("secret: write key: %w", err)
	}
	return syncDir(dir)
}

// syncDir makes the new name durable: values sealed under a key that a power cut removed are lost.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("secret: %w", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("secret: sync %s: %w", dir, err)
	}
	return nil
}
