// Package generated is made by bpf2go.
package generated
