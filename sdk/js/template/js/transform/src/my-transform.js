// A transform that replaces a text in each value, such as a secret by asterisks: change it into yours.

import { definePackage, key, transform } from "@lockgate/sdk";

const config = {
  find: key.string({ nonEmpty: true, doc: "The text to replace." }),
  put: key.string({ default: "***", doc: "What stands there instead." }),
};

const about = { name: "com.example.MyTransform", doc: "Replaces a text in each value.", encodings: ["bytes", "json"] };

export class MyTransform extends transform({ ...about, config }) {
  apply(record) {
    const value = record.valueText;
    // A tombstone has nothing to replace; `return DROP` would drop the record.
    if (value?.includes(this.config.find)) record.value = value.replaceAll(this.config.find, this.config.put);
  }
}

export default definePackage({ name: "my-transform", version: "0.1.0", plugins: [MyTransform] });
