// Package access decides who may call what: API keys, their tenants, rotation,
// and grants per model and endpoint.
//
// # Keys
//
// A key is a name for scanners, a public id, 256 bits of randomness and a
// checksum, so that a leaked one is found by the pattern
// llmaas_[a-z2-7]{16}_[a-z2-7]{59} and told from a lookalike by [WellFormed]:
//
//	keys, err := access.New(ctx, access.Options{Store: access.NewFileStore("keys.json")})
//	err = keys.PutTenant(ctx, access.Tenant{ID: "acme", Tier: "tier-1"})
//	key, secret, err := keys.Mint(ctx, access.NewKey{
//		Tenant: "acme",
//		Grant:  access.Grant{Models: []string{"gpt-oss:120b", "family:gemma3"}, Endpoints: []string{"/chat/completions"}},
//	}, time.Now())
//	fmt.Println(secret.Reveal()) // once: what is kept is a hash
//
// A [Secret] shows only its public id under every verb, in JSON and in logs.
//
// # Requests
//
//	token, err := access.Bearer(r.Header)
//	who, err := keys.Authenticate(token, time.Now()) // 401 where it fails
//	err = who.Allow("/chat/completions", model)       // 403 where it fails
//
// A key without a grant may call nothing. What is revoked, suspended or granted
// is seen by the next request.
//
// # Rotation
//
// [Keys.Rotate] gives a key a new secret by hand, [Keys.RotateDue] gives one to
// every key whose secret has reached its age, in two changes of the store. For the overlap the old and the
// new secret both work. The id of the key, its grant, and the budgets and limits
// of its tenant stay as they are. [Keys.Revoke] ends a key at once.
//
// # Stores
//
// A [Store] keeps the state in one piece and refuses to let one writer undo what
// another did. [FileStore] is one file of mode 0600, replaced atomically, that
// survives a kill at any point; on Linux, BSD and macOS the processes of one machine
// may share it. State is read into memory once: gateways that share a store call
// [Keys.Reload] from time to time, and revoke at that pace.
//
// # What is not here
//
// Users, passwords and sessions; how much a tenant may use (package limit); and
// encryption of the key file, which holds hashes of 256-bit secrets only.
package access
