// A Kubernetes API server and the etcd that it stores into, in one program, so that tests build once and start
// two processes of it: "etcd FLAGS…" and "apiserver FLAGS…". Both are the released servers, unchanged.
// "key FILE" makes the key that signs service accounts' tokens, so that tests need no other program.
package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	"k8s.io/kubernetes/cmd/kube-apiserver/app"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "first argument: etcd, apiserver or key")
		os.Exit(2)
	}
	role := os.Args[1]
	// The servers parse os.Args themselves and must not see which of them was chosen.
	os.Args = append(os.Args[:1], os.Args[2:]...)
	switch role {
	case "etcd":
		etcdmain.Main(os.Args)
	case "apiserver":
		os.Exit(cli.Run(app.NewAPIServerCommand()))
	case "key":
		if err := writeKey(os.Args[1]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func writeKey(path string) error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return os.WriteFile(path, pem.EncodeToMemory(block), 0o600)
}
