// Package orders is generated code to compare with.
package orders

//go:generate sh -c "go build -o gen/protoc-gen-go google.golang.org/protobuf/cmd/protoc-gen-go && go run ./gen ./gen/protoc-gen-go && rm gen/protoc-gen-go"
