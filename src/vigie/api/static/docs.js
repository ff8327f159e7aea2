"use strict";
// Everything from the description goes into text nodes: a feature may be called anything.
const at = (id) => document.getElementById(id);

function row(table, ...cells) {
  const line = table.insertRow();
  for (const [index, text] of cells.entries()) {
    const cell = line.insertCell();
    const node = index === 0 ? cell.appendChild(document.createElement("code")) : cell;
    node.textContent = text;
  }
}

function show(description) {
  document.title = description.info.title;
  at("title").textContent = `${description.info.title}, version ${description.info.version}`;
  at("summary").textContent = description.info.description;
  const features = description.components.schemas.Features;
  for (const [name, feature] of Object.entries(features.properties ?? {})) {
    row(at("features"), name, [feature.type].flat().join(" or "), [feature.description, ...(feature.examples ?? [])].join(" · "));
  }
  at("body").value = JSON.stringify(features.example ?? {}, null, 2);
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      row(at("routes"), `${method.toUpperCase()} ${path}`, operation.description ?? "", Object.keys(operation.responses).join(", "));
    }
  }
}

async function send() {
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: at("body").value };
  try {
    const response = await fetch("/predict", options);
    at("answer").textContent = `${response.status}\n${JSON.stringify(await response.json(), null, 2)}`;
  } catch (error) {
    at("answer").textContent = `The server did not answer: ${error.message}`;
  }
}

at("send").addEventListener("click", send);
fetch("/openapi.json")
  .then((response) => response.json())
  .then(show)
  .catch((error) => { at("summary").textContent = `The description cannot be read: ${error.message}`; });
