import t from 'tap'
import { inXml, xmlFlaw } from '../../../proxy/lib/xml-text.ts'

t.test('documents of which another reader would see another text', async (t) => {
  for (const text of [
    '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
    '<!doctype a [<!entity % b "c">]><a/>',
    '<?xml version="1.0" encoding="ISO-8859-1"?><a/>',
    "\n<?xml version='1.0' encoding = 'utf-16' ?><a/>",
  ])
    t.type(xmlFlaw(text), 'string', text)
  for (const text of [
    '<a>ENTITY</a>',
    '<!DOCTYPE html><html/>',
    '<?xml version="1.0" encoding="utf-8"?><a/>',
    '<?xml version="1.0"?><a encoding="x"/>',
  ])
    t.equal(xmlFlaw(text), undefined, text)
})

t.test('values are written as text or attributes take them; references stay', async (t) => {
  t.equal(inXml(`a<b>&"c'&amp;&#64;&x`), 'a&lt;b&gt;&amp;&quot;c&apos;&amp;&#64;&amp;x')
})
