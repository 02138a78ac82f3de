package access_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/llmaas/llmaas-go/llmaas/gateway/access"
)

func Example() {
	ctx, now := context.Background(), time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	keys, err := access.New(ctx, access.Options{}) // Store: access.NewFileStore("keys.json") keeps them
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := keys.PutTenant(ctx, access.Tenant{ID: "acme", Tier: "tier-1"}); err != nil {
		fmt.Println(err)
		return
	}
	key, secret, err := keys.Mint(ctx, access.NewKey{
		Tenant: "acme",
		Grant:  access.Grant{Models: []string{"gpt-oss:120b", "family:gemma3"}, Endpoints: []string{"/chat/completions"}},
	}, now)
	if err != nil {
		fmt.Println(err)
		return
	}

	request := http.Header{"Authorization": {"Bearer " + secret.Reveal()}}
	token, _ := access.Bearer(request)
	who, err := keys.Authenticate(token, now)
	fmt.Println(who.Tenant.ID, who.KeyID == key.ID, err)
	fmt.Println(who.Allow("/chat/completions", "gemma3:27b"))
	fmt.Println(who.Allow("/chat/completions", "qwen3:14b"))
	fmt.Println(who.Allow("/files", ""))

	err = keys.Revoke(ctx, key.ID, now)
	_, refused := keys.Authenticate(token, now)
	fmt.Println(err, errors.Is(refused, access.ErrRevoked))
	// Output:
	// acme true <nil>
	// <nil>
	// access: not allowed: the key does not reach this model
	// access: not allowed: the key does not reach this endpoint
	// <nil> true
}

func ExampleKeys_Rotate() {
	ctx, now := context.Background(), time.Date(2026, 5, 17, 12, 0, 0, 0, time.UTC)
	keys, err := access.New(ctx, access.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := keys.PutTenant(ctx, access.Tenant{ID: "acme"}); err != nil {
		fmt.Println(err)
		return
	}
	key, old, _ := keys.Mint(ctx, access.NewKey{Tenant: "acme"}, now)
	fresh, err := keys.Rotate(ctx, key.ID, 24*time.Hour, now)
	fmt.Println(err)

	for _, hours := range []time.Duration{23, 24} {
		at := now.Add(hours * time.Hour)
		_, withOld := keys.Authenticate(old.Reveal(), at)
		_, withFresh := keys.Authenticate(fresh.Reveal(), at)
		fmt.Println(withOld, withFresh)
	}
	// Output:
	// <nil>
	// <nil> <nil>
	// access: not authenticated: the secret was replaced <nil>
}
