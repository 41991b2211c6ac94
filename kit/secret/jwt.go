package secret

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"lobstead/kit/fault"
)

const (
	jwtIssuer = "lobstead"
	jwtLeeway = 30 * time.Second // between the clocks of two hosts
	maxJWT    = 4 << 10
)

// JWT signs claims (RFC 7519, HS256) under a key that is derived from the newest master key for one purpose: a token of one purpose is
// worthless for another. Who reads it calls ReadJWT; the issuer and the purpose are to be in the claims, see JWTClaims.
func (s Signer) JWT(purpose string, claims jwt.Claims) (String, error) {
	key, err := s.keys[0].derive("lobstead jwt v1 " + purpose)
	if err != nil {
		return String{}, err
	}
	text, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(key)
	if err != nil {
		return String{}, fmt.Errorf("secret: sign a token: %w", err)
	}
	return Of(text), nil
}

// JWTClaims are the registered claims of a token that is good from a time on for a while.
func JWTClaims(purpose, id, subject string, from time.Time, life time.Duration) jwt.RegisteredClaims {
	return jwt.RegisteredClaims{Issuer: jwtIssuer, Subject: subject, Audience: jwt.ClaimStrings{purpose}, ID: id,
		IssuedAt: jwt.NewNumericDate(from), NotBefore: jwt.NewNumericDate(from), ExpiresAt: jwt.NewNumericDate(from.Add(life))}
}

// ReadJWT reads what JWT made for the same purpose under any of the keys, at a time. Every other algorithm, "none" among them, a token
// that is over or has not begun, and one without an end are Unauthenticated token.wrong.
func (s Signer) ReadJWT(purpose, text string, into jwt.Claims, now time.Time) error {
	wrong := fault.New(fault.Unauthenticated, "token.wrong", "Invalid or expired token")
	if len(text) > maxJWT {
		return wrong
	}
	keys := jwt.VerificationKeySet{}
	for _, k := range s.keys {
		key, err := k.derive("lobstead jwt v1 " + purpose)
		if err != nil {
			return err
		}
		keys.Keys = append(keys.Keys, key)
	}
	_, err := jwt.ParseWithClaims(text, into, func(*jwt.Token) (any, error) { return keys, nil }, jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(jwtIssuer), jwt.WithAudience(purpose), jwt.WithExpirationRequired(), jwt.WithLeeway(jwtLeeway), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		return fault.Wrap(err, wrong.Kind, wrong.Code, "%s", wrong.Detail)
	}
	return nil
}

// derive makes a key of its own for a use that hands it to a library.
func (k Key) derive(info string) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, k.mac[:], nil, info, KeySize)
	if err != nil {
		return nil, fmt.Errorf("secret: derive: %w", err)
	}
	return key, nil
}
