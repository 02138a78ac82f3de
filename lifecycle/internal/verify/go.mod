module github.com/llmaas/llmaas-go/lifecycle/internal/verify

go 1.26.0

replace github.com/llmaas/llmaas-go => ../../..

require (
	github.com/arran4/golang-ical v0.3.4
	github.com/emersion/go-ical v0.0.0-20250329121855-f41e73efc392
	github.com/llmaas/llmaas-go v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/teambition/rrule-go v1.8.2 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)
