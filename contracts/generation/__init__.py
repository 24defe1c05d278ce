"""What is written from the models and topics: JSON Schemas, the AsyncAPI document, the topic cards."""
