package sandbox

import (
	"errors"
	"sync"
)

// Demo is a world with merchants to try things with.
type Demo struct {
	*World
	Acme *Merchant // acme: JSON, WeChat Pay's public key
	XML  *Merchant // acme-xml: GBK XML, WeChat Pay's certificate
	Both *Merchant // acme-both: JSON signed over GBK, both of WeChat Pay's keys; nil without Options.Folder
	// WrongKey is acme-wrong-key: the keys in its secret are not the ones that the gateways know.
	WrongKey *Merchant
}

// NewDemo makes a world with demo merchants.
func NewDemo(o Options) (*Demo, error) {
	w, err := NewWorld(o)
	if err != nil {
		return nil, err
	}
	d := &Demo{World: w}
	add := d.addMerchants
	if o.Folder != "" {
		add = d.addKeptMerchants
	}
	if err := add(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return d, nil
}

// addKeptMerchants makes the merchants of a folder, one after the other: their numbers are to be the same each time.
func (d *Demo) addKeptMerchants() (err error) {
	for _, m := range []struct {
		merchant **Merchant
		name     string
		options  MerchantOptions
	}{
		{&d.Acme, "acme", MerchantOptions{}},
		{&d.XML, "acme-xml", MerchantOptions{XML: true, Certificate: true}},
		{&d.Both, "acme-both", MerchantOptions{SignGBK: true, BothKeys: true}},
		{&d.WrongKey, "acme-wrong-key", MerchantOptions{}},
	} {
		if *m.merchant, err = d.AddMerchant(m.name, m.options); err != nil {
			return err
		}
	}
	d.spoil()
	return d.writeFolder()
}

func (d *Demo) addMerchants() error {
	var making sync.WaitGroup
	var failed [3]error
	making.Go(func() { d.Acme, failed[0] = d.AddMerchant("acme", MerchantOptions{}) })
	making.Go(func() { d.XML, failed[1] = d.AddMerchant("acme-xml", MerchantOptions{XML: true, Certificate: true}) })
	making.Go(func() { d.WrongKey, failed[2] = d.AddMerchant("acme-wrong-key", MerchantOptions{}) })
	making.Wait()
	if err := errors.Join(failed[:]...); err != nil {
		return err
	}
	d.spoil()
	return nil
}

// spoil lets the gateways know other keys of acme-wrong-key than its secret holds.
func (d *Demo) spoil() {
	known := *d.WrongKey
	imageco := *d.WrongKey.Imageco
	imageco.Key, known.Imageco, known.Key = randomHex(16), &imageco, d.XML.Key
	d.Register(&known)
}
